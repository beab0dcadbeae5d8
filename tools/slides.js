// Choose the sizes of text and pictures of each slide so that all of it is seen, then start the show.
// A slide is 1280 x 720 here, whatever the screen; reveal.js scales it as a whole.
const [WIDTH, HEIGHT, BOTTOM] = [1280, 720, 26];
const [LARGEST, CODE_SMALLEST] = [34, 16.5]; // pixels
const PICTURE_LARGER = 1.6; // times its own size
// First large pictures, then small text, then both small: [least height of pictures, least text]
const TRIES = [[360, 25], [300, 23], [230, 20]];

function tooWide(element) {
  return element.scrollWidth > element.clientWidth + 1;
}

function fitCode(slide) {
  for (const pre of slide.querySelectorAll("pre")) {
    pre.style.fontSize = "";
    let size = parseFloat(getComputedStyle(pre).fontSize);
    while (tooWide(pre) && size > CODE_SMALLEST) pre.style.fontSize = `${(size -= 0.5)}px`;
  }
}

// A tall picture stands beside the text that follows it.
function tall(img) {
  return img.naturalHeight > 0.8 * img.naturalWidth;
}

function fits(slide, size, least, room) {
  const pictures = [...slide.querySelectorAll(".jp-RenderedImage img, .jp-RenderedMarkdown img")];
  const widest = WIDTH - 2 * 56;
  slide.style.fontSize = `${size}px`;
  slide.dataset.size = size;
  fitCode(slide);
  pictures.forEach((img) => (img.style.height = "0"));
  const left = (room - slide.scrollHeight) / Math.max(1, pictures.length);
  for (const img of pictures) {
    const largest = Math.min(
      img.naturalHeight * PICTURE_LARGER, (img.naturalHeight * widest) / img.naturalWidth);
    const top = img.getBoundingClientRect().top - slide.getBoundingClientRect().top;
    const height = tall(img) ? room - top - 4 : Math.max(left, least / pictures.length);
    img.style.height = `${Math.min(largest, height)}px`;
  }
  return slide.scrollHeight <= room;
}

function fit(slide) {
  for (const img of slide.querySelectorAll("img")) img.parentElement.classList.toggle("beside", tall(img));
  for (const [least, smallest] of TRIES) {
    for (let size = LARGEST; size >= smallest; size -= 0.5) {
      if (fits(slide, size, least, HEIGHT - BOTTOM)) return;
    }
  }
}

window.addEventListener("load", async () => {
  await document.fonts.ready;
  const slides = document.querySelector(".reveal .slides");
  slides.style.width = `${WIDTH}px`;
  for (const slide of slides.querySelectorAll("section section")) {
    slide.classList.add("leaf");
    slide.style.cssText = "display: block; position: absolute; top: 0; left: 0;";
    slide.parentElement.style.display = "block";
    fit(slide);
    slide.style.display = slide.style.position = slide.style.top = slide.style.left = "";
    slide.parentElement.style.display = "";
  }
  await Reveal.initialize({
    width: WIDTH, height: HEIGHT, margin: 0, maxScale: 4, center: false, hash: true,
    transition: "none", navigationMode: "linear", slideNumber: "c/t", controls: false,
    plugins: [RevealNotes],
  });
  document.body.dataset.ready = "yes";
});
