// Keeps the station's page and its files, so that a handheld that was switched off in a dead corner starts again there.
// PAGE, ASSETS and WANTED (files that are kept once they were needed) stand above. Acts are not its business: the page queues them itself.
"use strict";
const STORE = `pack ${[...ASSETS, ...WANTED].join(" ")}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(STORE).then(async (store) => {
      await store.addAll(ASSETS);
      const page = await fetch(PAGE, { credentials: "same-origin", redirect: "manual" });
      if (page.ok) await store.put(PAGE, page);
      await self.skipWaiting();
    }),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then(async (names) => {
      await Promise.all(names.filter((name) => name !== STORE).map((name) => caches.delete(name)));
      await self.clients.claim();
    }),
  );
});

const late = () => new Promise((_, failed) => setTimeout(() => failed(new Error("late")), 4000));
const page = async (request) => {
  const store = await caches.open(STORE);
  try {
    const kept = await store.match(PAGE);
    const answer = await (kept ? Promise.race([fetch(request), late()]) : fetch(request));
    // A page to sign in must not take the station's place.
    if (answer.ok && !answer.redirected) await store.put(PAGE, answer.clone());
    return answer;
  } catch (error) {
    return (await store.match(PAGE)) || Response.error();
  }
};

const wanted = async (request) => {
  const store = await caches.open(STORE);
  const kept = await store.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await store.put(request, answer.clone());
  return answer;
};

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && pathname === PAGE) event.respondWith(page(request));
  else if (ASSETS.includes(pathname)) {
    event.respondWith(caches.match(pathname).then((kept) => kept || fetch(request)));
  } else if (WANTED.includes(pathname)) {
    event.respondWith(wanted(request));
  }
});
