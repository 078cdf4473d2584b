// What the station keeps and sends: acts wait in a database of the browser until the server has answered each.
"use strict";
window.station = window.station || {};
(() => {
  const root = document.getElementById("station").dataset;
  let opened = null;
  const database = () =>
    (opened = opened || new Promise((done, failed) => {
      const asked = indexedDB.open("suyuan-pack", 1);
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore("queue", { keyPath: "seq", autoIncrement: true });
        asked.result.createObjectStore("findings", { keyPath: "id" });
        asked.result.createObjectStore("history", { keyPath: "act_id" });
        asked.result.createObjectStore("open", { keyPath: "mode" });
      };
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    }));
  const on = async (store, mode, work) => {
    const db = await database();
    return new Promise((done, failed) => {
      const change = db.transaction(store, mode);
      const asked = work(change.objectStore(store));
      change.oncomplete = () => done(asked && asked.result);
      change.onerror = change.onabort = () => failed(change.error);
    });
  };
  const keep = {
    all: (store) => on(store, "readonly", (one) => one.getAll()),
    put: (store, value) => on(store, "readwrite", (one) => one.put(value)),
    drop: (store, key) => on(store, "readwrite", (one) => one.delete(key)),
    get: (store, key) => on(store, "readonly", (one) => one.get(key)),
  };
  station.keep = keep;

  const link = { online: navigator.onLine, csrf: root.csrf, party: root.party, user: root.user, skew: 0, signedIn: true, tried: 0 };
  station.link = link;
  const changed = () => document.dispatchEvent(new CustomEvent("station:link"));
  const setOnline = (online) => {
    if (!online) link.tried = Date.now();
    if (link.online === online) return;
    link.online = online;
    changed();
    if (online) station.sync();
  };

  const ask = async (path, options, seconds) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), seconds * 1000);
    try {
      return await fetch(`${root.base}/${path}`, { ...options, signal: stop.signal, cache: "no-store", redirect: "error" });
    } finally {
      clearTimeout(timer);
    }
  };
  // Who is signed in, the token of the forms, and how far this clock is off. False without a network.
  station.refresh = async () => {
    try {
      const sent = Date.now();
      const answer = await ask("state", {}, 6);
      const body = await answer.json();
      link.signedIn = answer.status !== 401;
      if (answer.ok) {
        Object.assign(link, { csrf: body.csrf, party: body.party, user: body.user });
        link.skew = Date.parse(body.now) - (sent + Date.now()) / 2;
      }
      setOnline(true);
      changed();
      return answer.ok;
    } catch (error) {
      setOnline(false);
      return false;
    }
  };
  station.now = () => new Date(Date.now() + link.skew).toISOString();

  // Sends a payload; {status, body}, or null without a network. A token that went out of date is fetched anew, once.
  station.send = async (path, payload, seconds = 3) => {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        const body = new URLSearchParams({ csrf: link.csrf, payload: JSON.stringify(payload) });
        const answer = await ask(path, { method: "POST", body }, seconds);
        const told = (answer.headers.get("content-type") || "").includes("json") ? await answer.json() : null;
        if ([429, 502, 503, 504].includes(answer.status)) return null; // it will answer later
        setOnline(true);
        if (answer.status === 403 && told === null && attempt === 0 && (await station.refresh())) continue;
        if (!link.signedIn) return { status: 401, body: { error: { code: "station.session" } } };
        return { status: answer.status, body: told || { error: { code: "station.refused" } } };
      } catch (error) {
        setOnline(false);
        return null;
      }
    }
    return null;
  };
  // A scan is looked at where there is a network; without one it is not waited for.
  station.look = async (scan) => {
    if (!link.signedIn) return null;
    if (!link.online && Date.now() - link.tried < 8000) return null;
    const answer = await station.send("look", scan);
    if (answer === null || answer.status === 401 || answer.status >= 500) return null;
    return answer.body.error ? { ok: false, code: answer.body.error.code } : answer.body;
  };

  let running = null;
  const settle = async (entry, answer) => {
    const { status, body } = answer;
    const bad = status >= 400 ? [{ code: body.error.code, uri: "" }] : body.findings || [];
    const lost = entry.type === "undo" && status === 404; // what it would undo was refused
    if (bad.length && !lost) {
      const id = entry.act ? entry.act.act_id : `undo-${entry.undo.act_id}`;
      await keep.put("findings", { id, entry, findings: bad, party: entry.party });
    }
    await keep.drop("queue", entry.seq);
    const inactive = (body.activation && body.activation.code) || ""; // why labels that were drawn are not active
    document.dispatchEvent(new CustomEvent("station:settled", { detail: { entry, findings: lost ? [] : bad, inactive } }));
  };
  const TRIES = 12; // an act on which the server breaks each time is somebody's to put right, and holds up no other
  const drain = async () => {
    const broken = new Set();
    for (const entry of await keep.all("queue")) {
      const id = entry.type === "act" ? entry.act.act_id : entry.undo.act_id;
      if (entry.party !== link.party || broken.has(id)) continue;
      const answer = await station.send(entry.type, entry.type === "act" ? entry.act : entry.undo, 15);
      if (answer === null || answer.status === 401) break;
      entry.tries = (entry.tries || 0) + 1;
      if (answer.status >= 500 && entry.tries < TRIES) {
        broken.add(id);
        await keep.put("queue", entry);
      } else {
        await settle(entry, answer);
      }
    }
    changed();
  };
  // Sends what waits, in its order, one run at a time.
  station.sync = () => {
    running = running || drain().finally(() => (running = null));
    return running;
  };
  // Keeps what is to be sent; when this is through, no switching off loses it.
  station.hold = async (entry) => {
    await keep.put("queue", { ...entry, party: link.party, user: link.user });
    changed();
  };
  // Sends all that was held before the call.
  station.deliver = async () => {
    if (running) await running;
    return station.sync();
  };
  station.waiting = async () => (await keep.all("queue")).length;

  addEventListener("online", () => station.refresh());
  addEventListener("offline", () => setOnline(false));
  setInterval(async () => {
    if (!link.online || !link.signedIn || (await station.waiting())) {
      if (await station.refresh()) station.sync();
    }
  }, 7000);
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register(`${root.base}/worker.js`, { scope: root.base }).catch(() => {});
  }
  station.refresh().then((ok) => ok && station.sync());
})();
