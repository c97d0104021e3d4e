"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const say = text => { document.getElementById("said").textContent = text; };

  // --- Tables: sort, filter, open.
  const value = (row, column) => {
    const cell = row.rows[0].cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  };
  const compare = (a, b, number) => {
    if (a === "" || b === "") return (a === "") - (b === ""); // what is not known comes last either way
    return number ? a - b : a.localeCompare(b, "en", { numeric: true });
  };
  const sort = (table, column, way) => {
    const number = table.tHead.rows[0].cells[column].hasAttribute("data-number");
    const keyed = [...table.tBodies].map((row, at) => ({ row, at, key: value(row, column) }));
    keyed.sort((a, b) => {
      const order = compare(a.key, b.key, number);
      return (a.key === "" || b.key === "" ? order : order * way) || a.at - b.at;
    });
    table.append(...keyed.map(({ row }) => row));
  };
  const setOpen = (row, open) => {
    row.classList.toggle("open", open);
    row.querySelector("th button")?.setAttribute("aria-expanded", open);
  };
  const openers = table => {
    for (const row of table.tBodies) {
      const detail = row.rows[1];
      if (!detail) continue;
      const head = row.rows[0].cells[0];
      detail.id = `${row.id}/evidence`;
      const button = element("button", { type: "button", "aria-expanded": "false", "aria-controls": detail.id });
      button.append(element("span", {}, ...head.childNodes));
      head.append(button);
      button.addEventListener("click", () => setOpen(row, !row.classList.contains("open")));
    }
  };
  const sorters = table => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = element("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        const down = before ? before === "ascending" : head.hasAttribute("data-number");
        heads.forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, column, down ? -1 : 1);
        say(`sorted by ${button.textContent}, ${down ? "descending" : "ascending"}`);
      });
    });
  };
  const filters = (box, table) => {
    const find = box.querySelector("input[type=search]");
    if (!find) return;
    const [choices, more, count] = [all("select", box), box.querySelector("input[type=checkbox]"), box.querySelector("output")];
    const texts = new Map();
    const text = row => texts.get(row) ?? texts.set(row, row.textContent.toLowerCase()).get(row);
    const apply = () => {
      const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0, those = 0;
      for (const row of table.tBodies) {
        const there = more?.checked || !row.hasAttribute("data-hidden");
        const fits = choices.every(one => !one.value || value(row, one.dataset.column) === one.value)
          && wanted.every(word => text(row).includes(word));
        row.classList.toggle("off", !fits);
        those += there;
        shown += there && fits;
      }
      count.textContent = shown === those ? `${those} rows` : `${shown} of ${those} rows`;
    };
    [find, ...choices, ...(more ? [more] : [])].forEach(input => input.addEventListener("input", apply));
    box.reset = () => {
      [find, ...choices].forEach(input => { input.value = ""; });
      apply();
    };
    apply();
  };
  for (const box of all("div.table")) {
    const table = box.querySelector("table");
    openers(table);
    if (table.tBodies.length > 1) sorters(table);
    filters(box, table);
  }

  // --- A link to a row opens it.
  const reveal = id => {
    const row = document.getElementById(id);
    if (row?.localName !== "tbody") return;
    const box = row.closest(".table");
    const more = box.querySelector("input[type=checkbox]");
    if (more && row.hasAttribute("data-hidden")) more.checked = true;
    if (row.classList.contains("off") || more) box.reset?.();
    setOpen(row, true);
    row.scrollIntoView({ block: "start" });
    row.querySelector("th button")?.focus({ preventScroll: true });
  };
  const follow = () => reveal(decodeURIComponent(location.hash.slice(1)));
  addEventListener("hashchange", follow);
  document.addEventListener("click", event => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) follow();
  });

  // --- Copy what is to be typed. Pages from a file may lack the clipboard of the browser.
  const copy = async text => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = element("textarea", { class: "unseen", "aria-hidden": "true" });
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };
  document.addEventListener("click", async event => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const done = await copy(button.dataset.copy);
    button.focus();
    button.textContent = done ? "copied" : "select it and copy by hand";
    say(done ? `copied ${button.dataset.copy}` : "could not copy");
    setTimeout(() => { button.textContent = "copy"; }, 2000);
  });

  // --- A typical step: streams as lanes, drawn anew for each view.
  const time = us => {
    const at = Math.abs(us);
    const [value, unit] = at < 999.5 ? [us, "µs"] : at < 999500 ? [us / 1e3, "ms"] : [us / 1e6, "s"];
    const size = Math.abs(value);
    return `${value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2)} ${unit}`;
  };
  const RULER = 22, LANE = 46, BOX = 26, MARGIN = 78, COLOURS = 10;
  const timeline = (figure, step) => {
    const [canvas, tip, choice] = [figure.querySelector("canvas"), figure.querySelector(".tip"), figure.querySelector("select")];
    const [output, count] = [figure.querySelector("output"), step.start.length];
    const end = n => step.start[n] + step.length[n];
    const lanes = step.streams.map(() => []);
    for (let n = 0; n < count; n++) lanes[step.lane[n]].push(n);
    const rowsOf = Array.from({ length: count }, () => []);
    step.rows.forEach(row => row.occurrences.forEach(one => one.forEach(n => rowsOf[n].push(row))));
    const whole = { from: Math.min(0, ...lanes.map(lane => step.start[lane[0]])), to: step.dur };
    let view = { ...whole }, current = -1, queued = false;
    const marked = () => step.rows.filter(row => choice.value === "" || row.id === choice.value);
    const scale = () => (canvas.clientWidth - MARGIN) / (view.to - view.from);
    const x = us => MARGIN + (us - view.from) * scale();

    const draw = () => {
      queued = false;
      const [width, height, ratio] = [canvas.clientWidth, RULER + LANE * lanes.length, devicePixelRatio || 1];
      if (!width) return;
      canvas.style.height = `${height}px`;
      [canvas.width, canvas.height] = [width * ratio, height * ratio];
      const style = getComputedStyle(root), colour = name => style.getPropertyValue(name).trim();
      const [text, soft, line, back, link] = ["--text", "--soft", "--line", "--back", "--link"].map(colour);
      const fills = Array.from({ length: COLOURS }, (_, n) => colour(`--k${n}`));
      const inks = fills.map(fill => {
        const [r, g, b] = [1, 3, 5].map(at => (parseInt(fill.slice(at, at + 2), 16) / 255) ** 2.2);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff";
      });
      const g = canvas.getContext("2d");
      g.scale(ratio, ratio);
      g.font = `11px ${colour("--mono")}`;
      g.textBaseline = "middle";
      const span = view.to - view.from, rough = span / Math.max(2, (width - MARGIN) / 110);
      const power = 10 ** Math.floor(Math.log10(rough)), tick = power * [1, 2, 5, 10].find(n => n * power >= rough);
      g.fillStyle = soft;
      g.strokeStyle = line;
      for (let at = Math.ceil(view.from / tick) * tick; at <= view.to; at += tick) {
        g.fillRect(x(at), RULER - 5, 1, 5);
        const label = time(at);
        g.fillText(label, Math.min(x(at) + 3, width - g.measureText(label).width), RULER / 2 - 2);
      }
      const only = choice.value && choice.value !== "-" ? new Set(marked().flatMap(row => row.occurrences.flat())) : null;
      lanes.forEach((lane, n) => {
        const top = RULER + n * LANE + 5;
        g.fillStyle = text;
        g.globalAlpha = 1;
        g.fillText(`stream ${step.streams[n]}`, 0, top + BOX / 2);
        g.fillStyle = line;
        g.fillRect(MARGIN, top + BOX / 2, width - MARGIN, 1);
        g.save();
        g.beginPath();
        g.rect(MARGIN, 0, width - MARGIN, height);
        g.clip();
        for (const at of lane) {
          if (end(at) < view.from) continue;
          if (step.start[at] > view.to) break;
          const [left, long] = [x(step.start[at]), Math.max(0.6, step.length[at] * scale())];
          const kernel = step.kernels[step.kernel[at]], shade = Math.min(kernel[2], COLOURS - 1);
          g.globalAlpha = only && !only.has(at) ? 0.25 : 1;
          g.fillStyle = fills[shade];
          g.fillRect(left, top, Math.max(0.6, long > 3 ? long - 0.7 : long), BOX);
          if (long > 34 && !(only && !only.has(at))) {
            const from = Math.max(left, MARGIN) + 4, room = Math.min(left + long, width) - from - 4;
            const fits = Math.floor(room / 6.7);
            g.fillStyle = inks[shade];
            if (fits > 3) g.fillText(kernel[0].length > fits ? `${kernel[0].slice(0, fits - 1)}…` : kernel[0], from, top + BOX / 2);
          }
        }
        g.globalAlpha = 1;
        g.restore();
      });
      g.save();
      g.beginPath();
      g.rect(MARGIN, 0, width - MARGIN, height);
      g.clip();
      g.fillStyle = text;
      for (const row of marked()) {
        for (const one of row.occurrences) {
          for (const at of one) {
            const top = RULER + step.lane[at] * LANE + 5 + BOX + 2;
            g.fillRect(x(step.start[at]), top, Math.max(1, step.length[at] * scale()), 3);
          }
          const [first, last] = [one[0], one[one.length - 1]];
          if (step.lane[first] === step.lane[last]) {
            g.fillRect(x(step.start[first]), RULER + step.lane[first] * LANE + 5 + BOX + 3, x(end(last)) - x(step.start[first]), 1);
          }
        }
      }
      if (current >= 0) {
        const [left, long] = [x(step.start[current]), Math.max(2, step.length[current] * scale())];
        g.lineWidth = 2;
        g.strokeStyle = text;
        g.strokeRect(left - 1, RULER + step.lane[current] * LANE + 4, long + 2, BOX + 2);
        g.strokeStyle = back;
        g.lineWidth = 1;
        g.strokeRect(left + 0.5, RULER + step.lane[current] * LANE + 5.5, Math.max(1, long - 1), BOX - 1);
      }
      g.restore();
      const zoom = (whole.to - whole.from) / span;
      output.textContent = `${time(view.from)} to ${time(view.to)}${zoom > 1.01 ? `, ${zoom.toFixed(zoom < 10 ? 1 : 0)}×` : ""}`;
    };
    const later = () => {
      if (!queued) requestAnimationFrame(draw);
      queued = true;
    };
    const show = (from, to) => {
      const length = Math.min(Math.max(to - from, 0.5), whole.to - whole.from);
      const start = Math.min(Math.max(from, whole.from), whole.to - length);
      view = { from: start, to: start + length };
      later();
    };
    const zoom = (factor, at = (view.from + view.to) / 2) => show(at - (at - view.from) * factor, at + (view.to - at) * factor);
    const move = part => show(view.from + (view.to - view.from) * part, view.to + (view.to - view.from) * part);

    const point = (n, spoken) => {
      if (n === current && !spoken) return;
      current = n;
      tip.hidden = n < 0;
      if (n >= 0) {
        const kernel = step.kernels[step.kernel[n]];
        const facts = `${time(step.length[n])}, begins at ${time(step.start[n])}, stream ${step.streams[step.lane[n]]}, ${step.categories[kernel[2]]}`;
        const rows = [...new Set(rowsOf[n].map(row => row.label))];
        tip.replaceChildren(element("b", {}, kernel[0]), element("span", {}, facts),
          ...rows.map(label => element("span", {}, `▸ ${label}`)), element("code", {}, kernel[1]));
        const width = Math.min(440, canvas.clientWidth);
        tip.style.width = `${width}px`;
        tip.style.left = `${Math.max(0, Math.min(x(step.start[n]), canvas.clientWidth - width))}px`;
        tip.style.top = `${RULER + step.lane[n] * LANE + LANE + 2}px`;
        if (spoken) say([kernel[0], facts, ...rows].join("; "));
      }
      later();
    };
    const go = n => {
      if (n === undefined) return;
      const long = view.to - view.from;
      if (step.start[n] < view.from || end(n) > view.to) {
        const middle = (step.start[n] + end(n)) / 2, wide = Math.max(long, step.length[n] * 1.2);
        show(middle - wide / 2, middle + wide / 2);
      }
      point(n, true);
    };
    // The launch of a lane that runs at a time, else the nearest one.
    const nearest = (lane, us, most = Infinity) => {
      let [best, distance] = [-1, most];
      for (const n of lane) {
        const away = Math.max(step.start[n] - us, us - end(n), 0);
        if (away < distance || (away === 0 && distance === 0)) [best, distance] = [n, away];
      }
      return best;
    };
    const under = event => {
      const box = canvas.getBoundingClientRect();
      const lane = lanes[Math.floor((event.clientY - box.top - RULER) / LANE)];
      const us = view.from + (event.clientX - box.left - MARGIN) / scale();
      return lane && event.clientX - box.left >= MARGIN ? nearest(lane, us, 4 / scale()) : -1;
    };
    const open = n => { if (rowsOf[n]?.length) location.hash = encodeURIComponent(rowsOf[n][0].id); };

    let drag = null;
    canvas.addEventListener("pointerdown", event => {
      drag = { at: event.clientX, from: view.from, to: view.to, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", event => {
      if (!drag) return point(under(event));
      const by = (drag.at - event.clientX) / ((canvas.clientWidth - MARGIN) / (drag.to - drag.from));
      drag.moved ||= Math.abs(event.clientX - drag.at) > 3;
      if (drag.moved) show(drag.from + by, drag.to + by);
    });
    canvas.addEventListener("pointerup", () => { drag = null; });
    canvas.addEventListener("pointercancel", () => { drag = null; });
    canvas.addEventListener("pointerleave", () => { if (!drag && document.activeElement !== canvas) point(-1); });
    canvas.addEventListener("dblclick", event => open(under(event)));
    canvas.addEventListener("blur", () => point(-1));
    canvas.addEventListener("wheel", event => {
      const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
      if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) {
        event.preventDefault();
        move(sideways / canvas.clientWidth);
      } else if (event.ctrlKey || event.metaKey || document.activeElement === canvas) {
        event.preventDefault();
        zoom(1.0015 ** event.deltaY, view.from + (event.clientX - canvas.getBoundingClientRect().left - MARGIN) / scale());
      }
    }, { passive: false });
    canvas.addEventListener("keydown", event => {
      const lane = lanes[step.lane[Math.max(current, 0)]], place = lane.indexOf(current);
      const beside = by => {
        const next = lanes[step.lane[Math.max(current, 0)] + by];
        return next && nearest(next, current < 0 ? view.from : step.start[current]);
      };
      const act = {
        ArrowRight: () => event.shiftKey ? move(0.25) : go(current < 0 ? nearest(lanes[0], view.from) : lane[place + 1]),
        ArrowLeft: () => event.shiftKey ? move(-0.25) : go(lane[place - 1]),
        ArrowDown: () => go(beside(1)),
        ArrowUp: () => go(beside(-1)),
        Home: () => go(lane[0]),
        End: () => go(lane[lane.length - 1]),
        "+": () => zoom(0.5, current < 0 ? undefined : step.start[current]),
        "=": () => zoom(0.5, current < 0 ? undefined : step.start[current]),
        "-": () => zoom(2, current < 0 ? undefined : step.start[current]),
        0: () => show(whole.from, whole.to),
        Enter: () => open(current),
        Escape: () => point(-1),
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
    const buttons = { left: () => move(-0.25), right: () => move(0.25), in: () => zoom(0.5), out: () => zoom(2), all: () => show(whole.from, whole.to) };
    all("button[data-do]", figure).forEach(button => button.addEventListener("click", buttons[button.dataset.do]));
    choice.addEventListener("input", later);
    new ResizeObserver(later).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", later);
    figure.mark = id => {
      choice.value = id;
      const one = step.rows.find(row => row.id === id)?.occurrences[0] ?? [];
      const from = Math.min(...one.map(n => step.start[n])), long = Math.max(...one.map(end)) - from;
      show(from - long, from + 2 * long);
      figure.scrollIntoView({ block: "start" });
      canvas.focus({ preventScroll: true });
      go(one[0]);
    };
  };
  const steps = JSON.parse(document.getElementById("steps-data")?.textContent ?? "[]");
  const figures = all("figure.timeline");
  figures.forEach((figure, n) => timeline(figure, steps[n]));
  document.addEventListener("click", event => {
    const button = event.target.closest("button[data-mark]");
    if (button) figures.find(figure => figure.dataset.stage === button.dataset.stage)?.mark(button.dataset.mark);
  });
  follow();
})();
