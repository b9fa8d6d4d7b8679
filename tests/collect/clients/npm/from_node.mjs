// Published Node clients, each making every kind of call it has.
//
// node from_node.mjs '[{"client": ..., "address": ..., "key": ..., "gzip": ...}]' prints, per job,
// what the client says went wrong. Clients stay as published; only waiting times are made short.
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

import { Analytics } from "@segment/analytics-node";
import { buildPagePing, buildPageView, buildScreenView, buildSelfDescribingEvent, buildStructEvent, newTracker } from "@snowplow/node-tracker";
import { PostHog } from "posthog-node";

const require = createRequire(import.meta.url);
const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
const ThinkingData = require("thinkingdata-node");

function specCalls(one) {
  const who = { userId: "m-1001", anonymousId: "a-1" };
  one.identify({ ...who, traits: { email: "li@example.com", 城市: "上海" } });
  one.track({ ...who, event: "Order Completed", properties: { order_id: "o-1", total: 12.5, note: "第一单\n加急" } });
  one.page({ ...who, name: "Home", properties: { url: "https://shop.example/" } });
  one.screen({ ...who, name: "Cart" });
  one.group({ ...who, groupId: "g-9", traits: { plan: "gold" } });
  one.alias({ userId: "m-1001", previousId: "a-1" });
}

async function until(isDone, what) {
  for (let tries = 0; tries < 600; tries += 1) {
    if (isDone()) return;
    await sleep(50);
  }
  throw new Error(`waited too long for ${what}`);
}

const CLIENTS = {
  async segment_node({ address, key }) {
    const failed = [];
    const one = new Analytics({ writeKey: key, host: `http://${address}`, path: "/v1/batch", flushInterval: 50 });
    one.on("error", (error) => failed.push(error.message ?? error.code ?? "error"));
    specCalls(one);
    await one.closeAndFlush();
    return failed;
  },

  async rudder_node({ address, key, gzip }) {
    const failed = [];
    const one = new RudderAnalytics(key, { dataPlaneUrl: `http://${address}`, flushAt: 100, gzip, logLevel: "error", errorHandler: (error) => failed.push(String(error)) });
    specCalls(one);
    await new Promise((done) => one.flush((error) => { if (error) failed.push(String(error)); done(); }));
    return failed;
  },

  async posthog_node({ address, key, gzip }) {
    const failed = [];
    const one = new PostHog(key, { host: `http://${address}`, flushAt: 20, fetchRetryDelay: 50, disableCompression: !gzip, disableGeoip: true });
    one.on("error", (error) => failed.push(String(error)));
    one.capture({ distinctId: "m-1001", event: "Order Paid", properties: { amount: 8.5, 名称: "牛奶" } });
    one.capture({ distinctId: "m-1001", event: "$pageview", properties: { $current_url: "https://shop.example/" } });
    one.identify({ distinctId: "m-1001", properties: { $set: { city: "上海" }, $set_once: { first: "app" } } });
    one.alias({ distinctId: "cookie-7", alias: "m-1001" });
    one.groupIdentify({ groupType: "store", groupKey: "s-1", properties: { name: "南京路" } });
    await one.shutdown(20000);
    return failed;
  },

  async thinkingdata_node({ address, key, gzip }) {
    const one = ThinkingData.initWithBatchMode(key, `http://${address}`, { batchSize: 50, compress: gzip });
    thinkingdataCalls(one);
    const error = await new Promise((done) => one.flush(done));
    return error ? [String(error)] : [];
  },

  async thinkingdata_node_debug({ address, key }) {
    const failed = [];
    let heard = 0;
    const one = ThinkingData.initWithDebugMode(key, `http://${address}`, { dryRun: false });
    const callback = (error) => { heard += 1; if (error) failed.push(String(error)); };
    thinkingdataCalls(one, callback);
    await until(() => heard === 11, "answers");
    return failed;
  },

  async snowplow_node({ address, key }) {
    const failed = [];
    let sent = 0;
    const one = newTracker(
      { namespace: "shop", appId: key },
      {
        endpoint: `http://${address}`,
        bufferSize: 3,
        onRequestSuccess: (batch) => { sent += batch.length; },
        onRequestFailure: (failure) => { if (!failure.willRetry) failed.push(failure.message ?? "gave up"); },
      },
    );
    one.setUserId("m-1001");
    one.setDomainUserId("cookie-7");
    one.track(buildPageView({ pageUrl: "https://shop.example/", pageTitle: "Home" }));
    one.track(buildPagePing({ pageUrl: "https://shop.example/", pageTitle: "Home", maxYOffset: 100 }));
    one.track(buildStructEvent({ category: "shop", action: "add-to-basket", label: "p-1", value: 2 }));
    one.track(buildSelfDescribingEvent({ event: { schema: "iglu:com.example/viewed_product/jsonschema/1-0-0", data: { sku: "p-1", 名称: "牛奶" } } }));
    one.track(buildScreenView({ id: "0f9b7ee5-1a1b-4b8b-9b1e-4a5f6b7c8d9e", name: "Cart" }));
    for (let tries = 0; tries < 600 && sent < 5 && failed.length === 0; tries += 1) {
      one.flush();
      await sleep(50);
    }
    return sent === 5 ? failed : [...failed, `${sent} of 5 sent`];
  },
};

function thinkingdataCalls(one, callback) {
  const who = { accountId: "m-1001", distinctId: "cookie-7", callback };
  one.track({ ...who, event: "ViewProduct", properties: { product: "p-1", name: "牛奶" } });
  one.trackFirst({ ...who, event: "FirstOrder", firstCheckId: "first-1", properties: { amount: 3 } });
  one.trackUpdate({ ...who, event: "PayOrder", eventId: "pay-1", properties: { amount: 3 } });
  one.trackOverWrite({ ...who, event: "PayOrder", eventId: "pay-1", properties: { amount: 4 } });
  one.userSet({ ...who, properties: { city: "上海" } });
  one.userSetOnce({ ...who, properties: { first: "app" } });
  one.userAdd({ ...who, properties: { visits: 1 } });
  one.userAppend({ ...who, properties: { likes: ["茶"] } });
  one.userUniqAppend({ ...who, properties: { likes: ["茶"] } });
  one.userUnset({ ...who, property: "city" });
  one.userDel({ accountId: "m-9999", callback });
}

const jobs = JSON.parse(process.argv[2]);
const results = await Promise.all(
  jobs.map(async (job) => {
    try {
      return await CLIENTS[job.client](job);
    } catch (error) {
      return [String(error)];
    }
  }),
);
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit(0));
