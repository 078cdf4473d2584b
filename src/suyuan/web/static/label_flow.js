// Checking a label with the camera: one sharp photo of a printed pattern, or a clip under the torch while the label is
// tilted the way that the server asks for. What the pictures say is the server's business; here they are only taken.
"use strict";
(() => {
  const { camera, openReader } = window.suyuan;
  const the = (id) => document.getElementById(id);
  const root = the("capture");
  if (!root) return;
  const { door, track, gtin, serial } = root.dataset;
  const modules = Number(root.dataset.modules); // of the code's side
  const said = JSON.parse(the("said").textContent);

  const TICK_MS = 120;
  const READY_TICKS = 4; // so long must all be well before the photo is taken by itself
  const SHOTS = 6; // of which the sharpest is sent
  const NEEDED = 7.5; // pixels a module: with fewer the pattern's grain is lost
  const PHOTO_SIDE = 2000;
  const FRAME_SIDE = 1280;
  const FRAME_NEEDED = 4; // pixels a module of a clip's pictures
  const FLAT_FRAMES = 3;
  const FRAME_MS = 150;
  const LEAN_DEGREES = 9; // how far a leg of the way should go
  const STRAY_DEGREES = 6; // a picture that leans so far another way is not of this leg
  const LEG_MS = 5000; // and how long a leg may take before the next begins
  const LOST_MS = 12000;
  const HINT_MS = 900;
  const READ_MS = 2500; // time to read what has to be done by hand

  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  let opened = null; // the camera
  let run = 0; // counts up with every start and stop, so that what is under way knows that it is over
  let reader = null;
  let wanted = false; // the big key was pressed
  let gain = 1; // how many times the live picture's pixels a still photo has, along a side
  let sharp = 0; // how sharp the code was lately
  const sheet = document.createElement("canvas"); // each picture in its turn: phones give pages little room for them
  let held = null; // pictures that did not get through

  // -- what is said

  let hinted = { name: "", at: 0 };
  const hint = (name, at_once = false) => {
    if (name === hinted.name || (!at_once && Date.now() - hinted.at < HINT_MS)) return;
    hinted = { name, at: Date.now() };
    the("hint").textContent = said[name];
    root.dataset.hint = name;
  };
  const phase = (name) => {
    root.dataset.phase = name; // idle, opening, live, sending
    the("stage").hidden = !["opening", "live", "sending"].includes(name);
    the("open").hidden = name !== "idle";
    the("stop").hidden = !["opening", "live"].includes(name);
    the("take").hidden = name !== "live" || track !== "A";
    the("torch").hidden = name !== "live" || !opened || !opened.hasTorch;
    the("again").hidden = true;
  };
  const close = () => {
    run += 1;
    if (opened) opened.close();
    opened = null;
    phase("idle");
  };
  const fail = (name) => {
    close();
    the("trouble").textContent = said[name];
    the("trouble").hidden = false;
    the("again").hidden = !held;
    return null;
  };

  // -- the code in the picture

  // The codes of this very item: the same path, whatever the host.
  const isOurs = ({ text }) => {
    const found = /\/0?1\/(\d{8,14})\/(?:.*\/)?21\/([^/?#]+)/.exec(text);
    if (!found || found[1].padStart(14, "0") !== gtin) return false;
    try {
      return decodeURIComponent(found[2]) === serial;
    } catch (error) {
      return false;
    }
  };
  const look = async (source) => {
    const codes = await reader.read(source);
    const ours = codes.find(isOurs);
    if (!ours) return { other: codes.length > 0 };
    const place = camera.placeOf(ours);
    return { place, corners: ours.corners, looks: camera.looksOf(source, place) };
  };
  const dim = ({ light, contrast }) => light < 80 || contrast < 40;
  // What keeps a photo from being good, the most pressing; empty where nothing does.
  const faultOf = (seen, before) => {
    if (!seen.place) return seen.other ? "other" : "frame";
    const { place, looks } = seen;
    if ((place.side / modules) * gain < NEEDED) return "closer";
    if (dim(looks)) return "light";
    if (looks.glare > 0.45) return "glare";
    if (looks.sharp < sharp * 0.5) return "still"; // it was sharper before: the lens is on its way
    if (!before || Math.hypot(place.x - before.x, place.y - before.y) > place.side * 0.03) return "still";
    return "";
  };

  // -- one photo

  const sharpest = async (mine) => {
    let best = null;
    for (let shot = 0; shot < SHOTS && mine === run; shot += 1) {
      const whole = camera.copyOf(the("live"), 4096, null, sheet);
      const seen = await look(whole);
      if (seen.place && (!best || seen.looks.sharp > best.sharp)) {
        const part = camera.around(whole, seen.place, 1.4);
        best = { sharp: seen.looks.sharp, side: seen.place.side, canvas: camera.copyOf(whole, PHOTO_SIDE, part) };
      }
      await wait(60);
    }
    return best;
  };
  const photograph = async (mine) => {
    const best = await sharpest(mine);
    if (mine !== run || !best) return null;
    if (best.side / modules < NEEDED) {
      // The live picture has too few pixels; a still photo has more where the browser takes one.
      const still = await opened.photo();
      const seen = still && mine === run ? await look(still) : {};
      if (seen.place && seen.place.side > best.side) {
        best.canvas = camera.copyOf(still, PHOTO_SIDE, camera.around(still, seen.place, 1.4));
      }
    }
    return camera.jpegOf(best.canvas, 0.92);
  };
  const watchForPhoto = async (mine) => {
    let before = null;
    let well = 0;
    gain = await opened.gain();
    sharp = 0;
    await opened.near();
    while (mine === run) {
      const seen = await look(the("live"));
      if (mine !== run) return null;
      const fault = faultOf(seen, before);
      before = seen.place || null;
      well = fault ? 0 : well + 1;
      if (seen.place) sharp = Math.max(sharp * 0.99, seen.looks.sharp);
      root.dataset.well = fault ? "" : "1";
      hint(fault || "good");
      if (wanted || well >= READY_TICKS) {
        wanted = false;
        hint("taking", true);
        const photo = await photograph(mine);
        if (photo || mine !== run) return photo ? [photo] : null;
        hint("frame", true);
        well = 0;
      }
      await wait(TICK_MS);
    }
    return null;
  };

  // -- a clip under the torch

  // How far the code leans away from the camera at its left and top edge, in degrees: the far edge is the shorter one.
  const leanOf = ({ corners, place }, source) => {
    const [a, b, c, d] = corners;
    const span = (one, two) => Math.hypot(one.x - two.x, one.y - two.y);
    const { width, height } = camera.sizeOf(source);
    const near = place.side / Math.max(width, height); // the code's size against its distance, as most phones see it
    const degrees = (far, close) => (Math.asin(Math.max(-1, Math.min(1, Math.log(close / far) / near))) * 180) / Math.PI;
    const left = degrees(span(a, d), span(b, c));
    const up = degrees(span(a, b), span(d, c));
    return { left, right: -left, up, down: -up };
  };
  // The arrow shows where the phone goes, in the code's own frame, however the code lies in the picture.
  const ARROWS = { left: 0, up: 90, right: 180, down: 270 };
  const point = (lean, { corners: [a, b] }) => {
    const turned = (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI;
    the("arrow").firstElementChild.setAttribute("transform", `rotate(${Math.round(turned + ARROWS[lean])})`);
  };
  const even = (all, count) => Array.from({ length: count }, (_, n) => all[Math.round(((n + 1) * all.length) / count) - 1]);
  const strays = (leans, ...along) => {
    const [most] = Object.keys(leans).sort((one, two) => leans[two] - leans[one]);
    return leans[most] > STRAY_DEGREES && !along.includes(most);
  };
  // One leg of the way: pictures until it was walked, or until there was time enough for it; so many of them are kept.
  const leg = async (mine, lean, before, count) => {
    const begun = Date.now();
    const taken = [];
    let last = begun;
    let sharp = 0;
    let far = 0;
    hint(lean || "flat", true);
    while (mine === run) {
      const whole = camera.copyOf(the("live"), FRAME_SIDE, null, sheet);
      const seen = await look(whole);
      if (mine !== run) return null;
      const now = Date.now();
      the("arrow").classList.toggle("on", Boolean(lean && seen.place));
      if (!seen.place) hint(seen.other ? "other" : "frame");
      else {
        const leans = leanOf(seen, whole);
        last = now;
        sharp = Math.max(sharp, seen.looks.sharp);
        if (lean) {
          point(lean, seen);
          far = Math.max(far, leans[lean]);
        }
        if (seen.place.side / modules < FRAME_NEEDED) hint("closer");
        else if (seen.looks.sharp < sharp * 0.3) hint("slower");
        else if (strays(leans, lean, before) && now - begun < 2 * LEG_MS) hint(lean || "flat");
        else {
          const slow = lean && now - begun > LEG_MS / 2 && far < LEAN_DEGREES / 2;
          hint(dim(seen.looks) ? "torch_on" : slow ? "further" : lean || "flat");
          taken.push(await camera.jpegOf(whole, 0.85));
          the("progress").value += taken.length <= count ? 1 : 0;
        }
      }
      if (now - last > LOST_MS) return fail("lost");
      if (taken.length >= count && (!lean || far >= LEAN_DEGREES || now - begun > LEG_MS)) return even(taken, count);
      await wait(FRAME_MS);
    }
    return null;
  };
  const film = async (mine, { path, frames: asked }) => {
    const frames = [];
    const each = Math.max(4, Math.floor((asked - FLAT_FRAMES) / Math.max(1, path.length)));
    Object.assign(the("progress"), { max: FLAT_FRAMES + each * path.length, value: 0, hidden: false });
    const lit = await opened.torch(true);
    the("torch").setAttribute("aria-pressed", String(lit));
    if (!lit) {
      hint("torch_self", true);
      await wait(READ_MS);
    }
    let before = "";
    for (const lean of ["", ...path]) {
      const taken = await leg(mine, lean, before, lean ? each : FLAT_FRAMES);
      if (!taken) return null;
      frames.push(...taken);
      before = lean;
    }
    return frames;
  };

  // -- asking the server

  const ask = async (options, seconds) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), seconds * 1000);
    try {
      const answer = await fetch(door, { ...options, signal: stop.signal, cache: "no-store", headers: { Accept: "application/json" } });
      return { status: answer.status, body: await answer.json() };
    } finally {
      clearTimeout(timer);
    }
  };
  const send = async (pictures, nonce) => {
    phase("sending");
    the("trouble").hidden = true;
    hint("sending", true);
    the("progress").hidden = false;
    the("progress").removeAttribute("value");
    held = { pictures, nonce };
    const form = new FormData();
    form.append("nonce", nonce);
    form.append("track", track);
    pictures.forEach((one, n) => form.append("images", one, `${n + 1}.jpg`));
    let told;
    try {
      told = await ask({ method: "POST", body: form }, 90);
    } catch (error) {
      return fail("offline");
    }
    held = null;
    close();
    return show(told.body);
  };
  const show = (told) => {
    if (!told.title) {
      the("trouble").textContent = told.reason || said.broken;
      the("trouble").hidden = false;
      return;
    }
    const result = the("result");
    result.className = `hero ${told.tone}`;
    result.querySelector("h2").textContent = told.title;
    result.querySelector("[data-text]").textContent = told.text;
    for (const one of result.querySelectorAll("[data-icon]")) one.toggleAttribute("hidden", one.dataset.icon !== told.icon);
    const advice = result.querySelector("ul");
    advice.replaceChildren(...told.advice.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    advice.hidden = !told.advice.length;
    const report = result.querySelector("[data-report]");
    if (report) report.hidden = !told.report;
    result.hidden = false;
    the("open").querySelector("span").textContent = said.again;
    result.querySelector("h2").focus({ preventScroll: true });
    result.scrollIntoView({ block: "start", behavior: "instant" });
  };

  // -- beginning and ending

  const begin = async () => {
    const mine = (run += 1);
    the("trouble").hidden = the("result").hidden = true;
    the("progress").hidden = true;
    the("arrow").classList.remove("on");
    held = null;
    wanted = false;
    phase("opening");
    hint("opening", true);
    root.scrollIntoView({ block: "start" });
    const reading = openReader(["qr_code"], true);
    reading.catch(() => {}); // said below
    try {
      const camera_found = await camera.open(the("live"));
      if (mine !== run) return camera_found.close();
      opened = camera_found;
      opened.ended(() => mine === run && fail("camera_gone"));
    } catch (error) {
      return mine === run && fail(error.name === "NotAllowedError" ? "camera_refused" : "camera_missing");
    }
    hint("loading", true);
    try {
      reader = await reading;
    } catch (error) {
      return mine === run && fail("unread");
    }
    root.dataset.reader = reader.kind;
    let challenge;
    try {
      challenge = await ask({}, 20);
    } catch (error) {
      return mine === run && fail("offline");
    }
    if (mine !== run) return;
    if (challenge.status !== 200) return fail(challenge.status === 429 ? "busy" : "broken");
    phase("live");
    the(track === "A" ? "take" : "stop").focus({ preventScroll: true });
    const pictures = track === "A" ? await watchForPhoto(mine) : await film(mine, challenge.body);
    if (pictures && mine === run) await send(pictures, challenge.body.nonce);
  };

  // Photos that were chosen instead: those of a clip are made as small as its frames, others only readable to everyone.
  const KNOWN = ["image/jpeg", "image/png", "image/webp"];
  const prepare = async (event) => {
    const files = [...the("images").files];
    if (!files.length || (track === "A" && files.every(({ type }) => KNOWN.includes(type)))) return;
    event.preventDefault();
    const kept = new DataTransfer();
    for (const file of files) {
      const bitmap = await createImageBitmap(file).catch(() => null);
      const made = bitmap && (await camera.jpegOf(camera.copyOf(bitmap, track === "A" ? 4096 : 1600), 0.9));
      kept.items.add(made ? new File([made], "photo.jpg", { type: "image/jpeg" }) : file);
    }
    the("images").files = kept.files;
    event.target.submit();
  };

  the("form").addEventListener("submit", prepare);
  if (!navigator.mediaDevices || !window.isSecureContext) {
    the("no-camera").hidden = false;
    return;
  }
  root.hidden = false;
  the("other-way").open = false;
  the("open").addEventListener("click", begin);
  the("stop").addEventListener("click", close);
  the("take").addEventListener("click", () => (wanted = true));
  the("again").addEventListener("click", () => held && send(held.pictures, held.nonce));
  the("torch").addEventListener("click", async () => {
    const on = the("torch").getAttribute("aria-pressed") !== "true";
    if (await opened.torch(on)) the("torch").setAttribute("aria-pressed", String(on));
  });
  document.addEventListener("visibilitychange", () => document.hidden && opened && root.dataset.phase === "live" && close());
  phase("idle");
})();
