// A canvas of 28 x 28 pixels to draw on with mouse, finger or keys; `value` holds its pixels.
const SIZE = 28, SCALE = 8, BRUSH = 1.9; // BRUSH: radius of the pen, in pixels of the image
const HELP = "Drawing pad. Draw with mouse or finger. Keys: arrows move the pen, the space bar " +
  "sets it down and lifts it, Delete clears.";

function render({ model, el }) {
  const canvas = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE });
  canvas.style.cssText = `width:${SIZE * SCALE}px;height:${SIZE * SCALE}px;margin-left:8.5em;` +
    "image-rendering:pixelated;touch-action:none;cursor:crosshair;border:1px solid gray";
  Object.assign(canvas, { tabIndex: 0, title: HELP });
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", HELP);
  canvas.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys

  const clear = Object.assign(document.createElement("button"), { textContent: "clear" });
  clear.style.cssText = "margin-left:1em;vertical-align:top";
  el.append(canvas, clear);

  const pixels = new Uint8Array(SIZE * SIZE);
  const pen = { x: SIZE / 2, y: SIZE / 2, down: false, pointer: null };
  let timer = null;

  function show() {
    const image = new ImageData(SIZE, SIZE);
    pixels.forEach((v, i) => image.data.set([v, v, v, 255], 4 * i));
    if (document.activeElement === canvas) { // where the pen is, for those who draw with keys
      const i = SIZE * Math.floor(pen.y) + Math.floor(pen.x);
      image.data.set(pen.down ? [213, 94, 0, 255] : [86, 180, 233, 255], 4 * i);
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function send() {
    clearTimeout(timer);
    timer = null;
    model.set("value", new DataView(pixels.slice().buffer));
    model.save_changes();
  }

  function receive() {
    if (pen.pointer !== null) return; // do not draw over a stroke that is not finished
    const value = model.get("value");
    pixels.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    show();
  }

  function ink(x, y) {
    for (let i = 0; i < pixels.length; i++) {
      const distance = Math.hypot((i % SIZE) + 0.5 - x, Math.floor(i / SIZE) + 0.5 - y);
      const bright = 255 * Math.min(1, Math.max(0, BRUSH - distance));
      pixels[i] = Math.max(pixels[i], bright);
    }
  }

  function move(x, y, drawing) {
    const steps = Math.ceil(2 * Math.hypot(x - pen.x, y - pen.y)) || 1;
    for (let i = 1; drawing && i <= steps; i++) {
      ink(pen.x + ((x - pen.x) * i) / steps, pen.y + ((y - pen.y) * i) / steps);
    }
    Object.assign(pen, { x, y });
    show();
    if (drawing) timer ??= setTimeout(send, 100); // at most ten times a second
  }

  const place = (event) => {
    const inside = (v) => Math.min(SIZE - 0.5, Math.max(0.5, v / SCALE));
    return [inside(event.offsetX), inside(event.offsetY)];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen.pointer = event.pointerId;
    [pen.x, pen.y] = place(event);
    move(pen.x, pen.y, true);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId === pen.pointer) move(...place(event), true);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => {
      pen.pointer = null;
      send();
    });
  }

  function wipe() {
    pixels.fill(0);
    show();
    send();
  }
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.key in arrows) {
      const [x, y] = [pen.x + arrows[event.key][0], pen.y + arrows[event.key][1]];
      if (Math.min(x, y) > 0 && Math.max(x, y) < SIZE) move(x, y, pen.down);
    } else if (event.key === " ") {
      pen.down = !pen.down;
      move(pen.x, pen.y, pen.down);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      wipe();
    } else {
      return;
    }
    event.preventDefault(); // the page must not scroll
    event.stopPropagation();
  });
  canvas.addEventListener("focus", show);
  canvas.addEventListener("blur", show);
  clear.addEventListener("click", wipe);
  model.on("change:value", receive);
  receive();
}

export default { render };
