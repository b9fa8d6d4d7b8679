// Published browser clients in a page of a shop, each making every kind of call it has.
"use strict";

const MODULES = "node_modules";
const SHOP = { url: "https://shop.example/" };

function script(path) {
  return new Promise((done, failed) => {
    const element = document.createElement("script");
    Object.assign(element, { src: `${MODULES}/${path}`, onload: done, onerror: failed });
    document.head.append(element);
  });
}

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const CLIENTS = {
  // Led here by its settings alone, as a page is that only changes the address of the CDN.
  async segment_browser({ address, key, batching }) {
    await script("@segment/analytics-next/dist/umd/index.js");
    const integrations = batching
      ? { "Segment.io": { deliveryStrategy: { strategy: "batching", config: { size: 10, timeout: 100 } } } }
      : {};
    const one = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: `http://${address}` }, { integrations });
    await one.identify("m-1001", { 城市: "上海" });
    await one.track("Order Completed", { order_id: "o-1", total: 12.5 });
    await one.page("Shop", "Home", SHOP);
    await one.screen("App", "Cart");
    await one.group("g-9", { plan: "gold" });
    await one.alias("m-1001");
  },

  async rudder_browser({ address, key }) {
    await script("@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js");
    const one = new window.rudderanalytics.RudderAnalytics();
    one.load(key, `http://${address}`, { configUrl: `http://${address}` });
    await new Promise((done) => one.ready(done));
    one.identify("m-1001", { 城市: "上海" });
    one.track("Order Completed", { order_id: "o-1", total: 12.5 });
    one.page("Shop", "Home", SHOP);
    one.group("g-9", { plan: "gold" });
    one.alias("m-1002", "m-1001");
  },

  async sensors_browser({ address, key, send, batch }) {
    await script("sa-sdk-javascript/sensorsdata.min.js");
    const one = window.sensorsDataAnalytic201505;
    one.init({
      server_url: `http://${address}/sa?project=default&token=${key}`,
      send_type: send,
      batch_send: batch ? { datasend_timeout: 6000, send_interval: 300 } : false,
      show_log: false,
      heatmap: { clickmap: "not_collect", scroll_notice_map: "not_collect" },
    });
    one.quick("autoTrack");
    one.track("ViewProduct", { ProductId: "p-1", Name: "牛奶" });
    one.setProfile({ Gender: "女" });
    one.setOnceProfile({ FirstVisit: "2026-01-01" });
    one.incrementProfile({ Visits: 1 });
    one.appendProfile({ Likes: ["茶"] });
    one.unsetProfile(["City"]);
    one.bind("$identity_mobile", "13912345678");
    one.unbind("$identity_mobile", "13912345678");
    one.login("m-1001");
    one.track("PayOrder", { Amount: 20 });
    one.setItem("product", "p-1", { price: 9.9 });
    one.deleteItem("product", "p-2");
    one.deleteProfile();
    await sleep(batch ? 1500 : 300);
  },
};

window.run = async (job) => {
  try {
    await CLIENTS[job.client](job);
    return [];
  } catch (error) {
    return [String(error?.message ?? error)];
  }
};
