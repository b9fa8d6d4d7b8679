// Shows in [data-regulars-slot] what Regulars decided for this visitor. Text only, never HTML;
// counts as seen only what was in sight; whatever fails, the page stays as it was.
(() => {
  "use strict";
  const script = document.currentScript;
  const says = script.dataset;
  const address = new URL(`api/reach/slot/${encodeURIComponent(says.key)}/`, script.src).href;
  const STORED = "regulars_visitor";
  const asked = new WeakSet();
  let visitor;

  const quiet = (work) => { try { return work(); } catch { return undefined; } };

  // The body is plain text, so that browsers need not ask beforehand whether they may send it.
  async function send(path, body) {
    const answer = await fetch(address + path, {
      method: "POST",
      body: JSON.stringify(body),
      credentials: "omit",
      referrerPolicy: "no-referrer",
      keepalive: true,
      signal: AbortSignal.timeout(5000),
    });
    return answer.ok ? answer.json() : {};
  }

  // An id another script keeps, in local storage or a cookie, with or without quotes.
  function kept(name) {
    const cookie = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
    const found = quiet(() => localStorage.getItem(name)) ||
      (cookie && quiet(() => decodeURIComponent(cookie.slice(name.length + 1))));
    return found ? found.replace(/^"|"$/g, "") : "";
  }

  function own() {
    const stored = kept(STORED);
    if (stored) return stored;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const made = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    quiet(() => localStorage.setItem(STORED, made));
    return made;
  }

  function who() {
    if (says.customer) {
      const { customer: id, customerAt: at, customerSignature: signature } = says;
      return { customer: { id, at: Number(at), signature } };
    }
    visitor ||= says.visitor || (says.visitorFrom && kept(says.visitorFrom)) || own();
    return { visitor };
  }

  function part(tag, kind, text) {
    const made = document.createElement(tag);
    made.className = `regulars-${kind}`;
    if (text) made.textContent = text;
    return made;
  }

  // In sight: at least half of it, or half of the window, for a second, in a tab that is looked at.
  function whenSeen(box, done) {
    let timer;
    const isSeen = (entry) => {
      const { width, height } = entry.intersectionRect;
      const share = Math.max(entry.intersectionRatio, height / innerHeight);
      return width * height > 0 && share >= 0.5 && document.visibilityState === "visible" &&
        (!box.checkVisibility || box.checkVisibility({ opacityProperty: true, visibilityProperty: true }));
    };
    const eye = new IntersectionObserver((entries) => {
      clearTimeout(timer);
      if (isSeen(entries[entries.length - 1])) timer = setTimeout(finish, 1000);
    }, { threshold: [0, 0.25, 0.5, 0.75, 1] });
    const again = () => { clearTimeout(timer); eye.unobserve(box); eye.observe(box); };
    function finish() {
      eye.disconnect();
      document.removeEventListener("visibilitychange", again);
      done();
    }
    document.addEventListener("visibilitychange", again);
    eye.observe(box);
  }

  function show(place, shown) {
    const before = [...place.childNodes];
    const tell = (what) => send("tell", { ticket: shown.ticket, what }).catch(() => {});
    const isLink = /^https?:\/\//i.test(shown.link);
    const box = part("div", "offer");
    const body = part(isLink ? "a" : "div", "body");
    if (isLink) body.href = shown.link;
    if (shown.title) body.append(part("strong", "title", shown.title), " ");
    if (shown.text) body.append(part("span", "text", shown.text));
    const away = part("button", "dismiss", "\u00d7");
    away.type = "button";
    away.setAttribute("aria-label", place.dataset.dismiss || "Close");
    for (const kind of ["click", "auxclick"]) {
      body.addEventListener(kind, (event) => isLink && event.button < 2 && tell("clicked"));
    }
    away.addEventListener("click", () => { tell("dismissed"); place.replaceChildren(...before); });
    box.append(body, away);
    place.replaceChildren(box);
    whenSeen(box, () => tell("exposed"));
  }

  async function fill(place) {
    const { shown } = await send("ask", { slot: place.dataset.regularsSlot, ...who() });
    if (shown) show(place, shown);
  }

  function look() {
    for (const place of document.querySelectorAll("[data-regulars-slot]")) {
      if (!asked.has(place)) {
        asked.add(place);
        fill(place).catch(() => {});
      }
    }
  }

  function begin() {
    if (document.prerendering) addEventListener("prerenderingchange", look, { once: true });
    else if (document.readyState === "loading") addEventListener("DOMContentLoaded", look);
    else look();
  }

  if (navigator.doNotTrack === "1" || navigator.globalPrivacyControl) return;
  document.addEventListener("regulars:ask", () => quiet(look));
  if (!("wait" in says)) quiet(begin);
})();
