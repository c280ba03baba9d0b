// The console's only script: turns links and forms that name a region into a swap of that region.
// Everything here works without it as plain links and forms. The contract is in docs/reference/console.md:
//   data-target="#id" [data-push]   swap that region with the answer of this link or form
//   data-live                       on a form: send 300 ms after typing, never while an input method composes
//   data-poll="2000" data-src="…"   on a region: ask again until it holds [data-done]
//   data-key="1"                    the shortcut clicks this element; "?" lists them all
//   data-all / data-row             choose all rows / one row; data-bulk shows while any is chosen
//   data-tip, data-confirm, data-fill (put a text into a field), data-copy (copy a field's text)
// In an answer: <template data-into="#id"> updates other regions; X-Message shows a toast, X-Undo its way back.
"use strict";
(() => {
  const words = document.body.dataset;
  const csrf = (document.querySelector('meta[name="csrf-token"]') || {}).content || "";
  const turn = new Map(); // region id → number of its newest request; older answers are dropped
  const seen = new Map(); // region id → the last polled answer, so that an unchanged one touches nothing
  let composing = false;

  const region = (selector) => (selector ? document.querySelector(selector) : null);
  const headersFor = (id) => ({ "X-Fragment": id, ...(csrf ? { "X-CSRF-Token": csrf } : {}) });

  // --- swapping -----------------------------------------------------------------------------------------------
  async function ask(target, url, options, how) {
    const id = target.id;
    const number = (turn.get(id) || 0) + 1;
    turn.set(id, number);
    if (how.user) target.classList.add("is-busy");
    let answer;
    let html;
    try {
      answer = await fetch(url, { ...options, headers: headersFor(id), credentials: "same-origin" });
      html = await answer.text();
    } catch (_error) {
      if (how.user && turn.get(id) === number) toast(words.offline);
      target.classList.remove("is-busy");
      return "failed";
    }
    if (turn.get(id) !== number) return "late";
    target.classList.remove("is-busy");
    if (answer.status === 401) {
      askToLogIn();
      return "login";
    }
    showMessage(answer);
    if (!how.user && (answer.status >= 500 || answer.status === 404)) return "failed";
    if (!how.user && seen.get(id) === html) return "same";
    seen.set(id, html);
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const fresh = parsed.getElementById(id);
    if (!fresh) {
      if (how.user) toast(parsed.querySelector("h1") ? parsed.querySelector("h1").textContent : words.failed);
      return "failed";
    }
    put(document.getElementById(id), fresh, how);
    parsed.querySelectorAll("template[data-into]").forEach((part) => {
      const place = region(part.dataset.into);
      const piece = part.content.firstElementChild;
      if (place && piece) put(place, document.importNode(piece, true), { user: false });
    });
    if (how.push) history.pushState({ swapped: true }, "", answer.redirected ? answer.url : how.push);
    return answer.ok ? "fresh" : "refused";
  }

  function put(old, fresh, how) {
    if (!old) return;
    const opened = [...old.querySelectorAll("details[id][open]")].map((item) => item.id);
    const scroller = old.matches("[data-scroll]") ? old : old.querySelector("[data-scroll]");
    const distance = scroller ? scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight : 0;
    const offset = scroller ? scroller.scrollTop : 0;
    const node = document.importNode(fresh, true);
    old.replaceWith(node);
    opened.forEach((id) => {
      const item = document.getElementById(id);
      if (item) item.open = true;
    });
    const next = node.matches("[data-scroll]") ? node : node.querySelector("[data-scroll]");
    if (next && next.dataset.scroll === "hit") showHit(next);
    else if (next) next.scrollTop = distance < 80 || how.user ? next.scrollHeight : offset;
    start(node);
    if (how.user && how.focus !== false) {
      const heading = node.querySelector("[data-heading]");
      if (heading) heading.focus({ preventScroll: true });
    }
  }

  function showMessage(answer) {
    const message = answer.headers.get("X-Message");
    if (message) toast(decodeURIComponent(message), decodeURIComponent(answer.headers.get("X-Undo") || ""));
  }

  function toast(text, undo) {
    const box = document.createElement("div");
    box.className = "toast";
    box.append(Object.assign(document.createElement("span"), { textContent: text }));
    if (undo) box.append(undoForm(undo));
    document.getElementById("toasts").append(box);
    setTimeout(() => box.remove(), undo ? 10000 : 5000);
  }

  function undoForm(action) {
    const form = document.createElement("form");
    form.method = "post";
    form.action = action;
    const button = Object.assign(document.createElement("button"), { className: "button small", textContent: words.undo });
    button.dataset.key = "u";
    form.append(button);
    return form;
  }

  function askToLogIn() {
    const banner = document.getElementById("login-again");
    if (banner) banner.hidden = false; // the page stays, and with it whatever was typed
  }

  // --- links and forms -----------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const all = event.target.closest("[data-all]");
    if (all) document.querySelectorAll("[data-row]").forEach((row) => (row.checked = all.checked));
    if (all || event.target.closest("[data-row]")) showBulk();
    const fill = event.target.closest("[data-fill]");
    if (fill) return fillField(event, fill);
    const jump = event.target.closest("[data-jump]");
    if (jump) return jumpToHit(Number(jump.dataset.jump));
    const copy = event.target.closest("[data-copy]");
    if (copy) return copyField(event, copy);
    const link = event.target.closest("a[data-target]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const target = region(link.dataset.target);
    if (!target) return;
    event.preventDefault();
    ask(target, link.href, {}, { user: true, push: "push" in link.dataset ? link.href : null }).then(() => markCurrent(link));
  });

  function markCurrent(link) {
    const group = link.closest("[data-choice]");
    if (!group || !link.isConnected) return;
    group.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    link.setAttribute("aria-current", group.dataset.choice || "true");
  }

  function fillField(event, chip) {
    const field = document.querySelector(chip.dataset.fillInto);
    if (!field) return;
    event.preventDefault();
    field.value = chip.dataset.fill;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }

  let hitNow = -1;
  function jumpToHit(step) {
    const hits = [...document.querySelectorAll("[data-hit]")];
    if (!hits.length) return;
    hitNow = (hitNow + step + hits.length) % hits.length;
    hits[hitNow].scrollIntoView({ block: "center" });
  }

  async function copyField(event, button) {
    event.preventDefault();
    const field = document.querySelector(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch (_error) {
      document.execCommand("copy"); // older webviews, and pages that are not on https
    }
    toast(words.copied);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const asked = form.dataset.confirm || (event.submitter && event.submitter.dataset.confirm);
    if (asked && !window.confirm(asked)) return event.preventDefault();
    const target = region(form.dataset.target);
    if (!target) return undefined;
    event.preventDefault();
    return send(form, target, event.submitter, true);
  });

  function send(form, target, submitter, user) {
    const fields = new URLSearchParams(new FormData(form));
    if (submitter && submitter.name) fields.append(submitter.name, submitter.value);
    const get = form.method !== "post";
    const url = new URL(form.getAttribute("action") || location.href, location.href);
    if (get) url.search = fields.toString();
    const buttons = [...form.querySelectorAll("button")];
    if (!get) buttons.forEach((button) => (button.disabled = true));
    const how = { user, push: "push" in form.dataset ? url.href : null, focus: user && !("stay" in form.dataset) };
    return ask(target, url, get ? {} : { method: "POST", body: fields }, how).then((result) => {
      buttons.forEach((button) => (button.disabled = false));
      if (result === "fresh" && "clear" in form.dataset) form.querySelectorAll("textarea,input[type=text]").forEach((field) => (field.value = ""));
      if ("stay" in form.dataset && form.isConnected && user) {
        const field = form.querySelector("textarea,input[type=text]");
        if (field) field.focus();
      }
    });
  }

  // --- typing --------------------------------------------------------------------------------------------------
  const waiting = new WeakMap();
  document.addEventListener("compositionstart", () => (composing = true));
  document.addEventListener("compositionend", (event) => {
    composing = false;
    typed(event.target);
  });
  document.addEventListener("input", (event) => {
    if (!composing && !event.isComposing) typed(event.target);
  });
  function typed(field) {
    const form = field.form;
    if (!form || !("live" in form.dataset)) return;
    clearTimeout(waiting.get(form));
    waiting.set(form, setTimeout(() => sendLive(form), 300));
  }
  function sendLive(form) {
    const url = form.dataset.liveAction; // a check beside a form whose own action does something else
    const target = region(form.dataset.liveTarget || form.dataset.target);
    if (!target) return;
    if (!url) return send(form, target, null, false);
    ask(target, url, { method: "POST", body: new URLSearchParams(new FormData(form)) }, { user: false });
  }
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && "auto" in form.dataset && event.target.matches("select")) form.requestSubmit ? form.requestSubmit() : form.submit();
  });

  // --- keys ----------------------------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input,textarea,select,[contenteditable]");
    if (field && event.key === "Enter" && !event.isComposing && !composing && "enter" in field.dataset && !event.shiftKey) {
      event.preventDefault();
      if (field.value.trim()) field.form.requestSubmit ? field.form.requestSubmit() : field.form.querySelector("button").click();
      return;
    }
    if (event.key === "Escape") document.getElementById("shortcuts").hidden = true;
    if (field || event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
    if (event.key === "?") return showShortcuts();
    const found = [...document.querySelectorAll("[data-key]")].filter((item) => item.dataset.key === event.key && item.offsetParent !== null);
    if (!found.length) return;
    event.preventDefault();
    found[found.length - 1].matches("input,textarea") ? found[found.length - 1].focus() : found[found.length - 1].click();
  });

  function showShortcuts() {
    const box = document.getElementById("shortcuts");
    const list = box.querySelector("dl");
    list.textContent = "";
    document.querySelectorAll("[data-key]").forEach((item) => {
      if (item.offsetParent === null) return;
      const name = item.getAttribute("aria-label") || item.textContent.trim().replace(item.dataset.key, "").trim();
      const key = Object.assign(document.createElement("dt"), { className: "key", textContent: item.dataset.key });
      list.append(key, Object.assign(document.createElement("dd"), { textContent: name }));
    });
    box.hidden = !box.hidden;
  }

  function showBulk() {
    const chosen = document.querySelectorAll("[data-row]:checked").length;
    document.querySelectorAll("[data-bulk]").forEach((bar) => {
      bar.hidden = chosen === 0;
      const count = bar.querySelector("[data-count]");
      if (count) count.textContent = String(chosen);
    });
  }

  // --- polling -------------------------------------------------------------------------------------------------
  function poll(node) {
    const id = node.id;
    const base = Number(node.dataset.poll) || 2000;
    let wait = base;
    const step = async () => {
      const current = document.getElementById(id);
      if (current !== node && !(current && current.dataset.src)) return;
      if (current !== node) return; // the fresh region has its own timer
      if (node.querySelector("[data-done]") || node.matches("[data-done]")) return;
      if (!document.hidden && !composing && !holdsFocus(node)) {
        const result = await ask(node, node.dataset.src, {}, { user: false });
        if (result === "login") return;
        wait = result === "failed" ? Math.min(wait * 2, 30000) : base;
        if (result === "fresh") return;
      }
      setTimeout(step, wait);
    };
    setTimeout(step, wait);
  }
  const holdsFocus = (node) => node.contains(document.activeElement) && document.activeElement.matches("input,textarea,select");

  // --- charts --------------------------------------------------------------------------------------------------
  document.addEventListener("mouseover", (event) => {
    document.querySelectorAll(".chart-tip").forEach((tip) => tip.remove());
    const spot = event.target.closest && event.target.closest("[data-tip]");
    if (!spot) return;
    const tip = Object.assign(document.createElement("div"), { className: "chart-tip", textContent: spot.dataset.tip });
    tip.style.left = `${event.pageX + 12}px`;
    tip.style.top = `${event.pageY + 12}px`;
    document.body.append(tip);
  });

  function start(root) {
    const nodes = [...root.querySelectorAll("[data-poll]")];
    if (root.matches && root.matches("[data-poll]")) nodes.push(root);
    nodes.forEach(poll);
  }
  window.addEventListener("popstate", () => location.reload());
  function showHit(box) {
    const hit = box.querySelector("[data-hit]");
    hitNow = 0;
    if (hit) box.scrollTop = hit.offsetTop - box.offsetTop - 120;
  }
  document.querySelectorAll("[data-scroll]").forEach((box) => {
    if (box.dataset.scroll === "hit") showHit(box);
    else if (box.dataset.scroll === "end") box.scrollTop = box.scrollHeight;
  });
  document.querySelectorAll(".toast[data-brief]").forEach((box) => setTimeout(() => box.remove(), 10000));
  start(document.body);
  document.documentElement.dataset.ready = "1";
})();
