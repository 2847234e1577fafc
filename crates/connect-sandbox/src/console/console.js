"use strict";
// Everything works without this; with it pages follow what happens, and keys work.

const live = (() => {
  let loading = false, again = false;

  // Somebody types here, or has a form open: it is left alone.
  const busy = (part) =>
    [...part.querySelectorAll("details.action[open], details.edit[open]")].length > 0 ||
    (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));

  const replace = (part, other) => {
    if (busy(part) || part.innerHTML === other.innerHTML) return;
    const open = new Map([...part.querySelectorAll("details[data-key]")].map((own) => [own.dataset.key, own.open]));
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const place = focused && path(focused, part);
    const node = document.importNode(other, true);
    for (const own of node.querySelectorAll("details[data-key]")) {
      if (open.has(own.dataset.key)) own.open = open.get(own.dataset.key);
    }
    part.replaceWith(node);
    if (place) follow(place, node)?.focus({ preventScroll: true });
  };

  // Where an element is, so that the focus finds the same place again.
  const path = (element, root) => {
    const steps = [];
    for (let own = element; own !== root; own = own.parentElement) {
      steps.unshift([...own.parentElement.children].indexOf(own));
    }
    return steps;
  };
  const follow = (steps, root) => steps.reduce((own, step) => own?.children[step], root);

  const refresh = async () => {
    if (loading || document.hidden) { again = true; return; }
    loading = true;
    const started = performance.now();
    try {
      // A page that tells of a refused form is not to be asked for again by its address.
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of document.querySelectorAll("[data-live]")) {
          const other = page.getElementById(part.id);
          if (other) replace(part, other);
        }
      }
    } catch { /* the next change tells */ }
    // A page that takes long is asked for less often.
    setTimeout(() => { loading = false; catchUp(); }, Math.min(2 * (performance.now() - started), 10000));
  };
  const catchUp = () => { if (again && !document.hidden) { again = false; refresh(); } };
  addEventListener("visibilitychange", catchUp);

  const note = document.getElementById("offline");
  const source = new EventSource("/events");
  source.addEventListener("change", refresh);
  // What changed between the page and this, or while nothing was heard, was not told.
  source.addEventListener("hello", () => { note.hidden = true; refresh(); });
  source.addEventListener("error", () => { note.hidden = false; });
  addEventListener("pagehide", () => source.close());
  // A page that the browser kept while another was shown hears nothing any more.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  return { refresh };
})();

// Times in words go on by themselves; the words are the server's.
const ago = (then) => {
  const passed = Math.trunc((Date.now() - then) / 1000), ahead = passed < 0, s = Math.abs(passed);
  if (s < 5) return "now";
  const [count, unit] = s < 60 ? [s, "s"] : s < 3600 ? [s / 60, "min"] : s < 86400 ? [s / 3600, "h"]
    : s < 31536000 ? [s / 86400, "d"] : [s / 31536000, "y"];
  return ahead ? `in ${Math.trunc(count)} ${unit}` : `${Math.trunc(count)} ${unit} ago`;
};
setInterval(() => {
  for (const time of document.querySelectorAll("time[datetime]:not(.exact)")) {
    const words = ago(Date.parse(time.dateTime));
    if (time.textContent !== words) time.textContent = words;
  }
}, 5000);

// Filters apply when they change.
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", () => form.requestSubmit());
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}

// The fields of a new account are there for a new account alone.
for (const select of document.querySelectorAll("select[data-new]")) {
  const fields = document.getElementById(select.dataset.new);
  const show = () => { fields.hidden = select.value !== "new"; };
  select.addEventListener("change", show);
  show();
}

const help = document.getElementById("help");
for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
}

let before = "";
const step = (by) => {
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
  if (!row) return;
  (row.querySelector("a, summary") ?? row).focus();
  row.scrollIntoView({ block: "nearest" });
};
addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input, select, textarea");
  if (event.key === "Escape" && typing) { event.target.blur(); return; }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const then = before;
  before = event.key;
  if (then === "g") {
    const target = document.querySelector(`nav [data-key="${CSS.escape(event.key)}"]`);
    if (target) { event.preventDefault(); before = ""; target.click(); return; }
  }
  const search = document.querySelector("[data-search]");
  if (event.key === "?") help.showModal();
  else if (event.key === "/" && search) { event.preventDefault(); search.focus(); search.select(); }
  else if (event.key === "n") document.querySelector('[aria-keyshortcuts="n"]').click();
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
});
