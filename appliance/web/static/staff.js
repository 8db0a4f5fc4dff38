// Photos that are chosen: large ones are made smaller before they are sent, and what takes a while says so. Without this file the forms
// work all the same.

const SIDE_PX_MAX = 2000;

for (const form of document.querySelectorAll('form[enctype="multipart/form-data"]')) {
  const input = form.querySelector('input[type="file"]');
  form.addEventListener("submit", () => {
    if (!input.files.length) return;
    form.querySelector(".looking").hidden = false;
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  });
  const chosen = async () => {
    const smaller = new DataTransfer();
    for (const file of input.files) smaller.items.add(await shrunk(file));
    input.files = smaller.files;
    if (!form.querySelector('input:not([type="file"])') && input.files.length) form.requestSubmit();
  };
  input.addEventListener("change", chosen);
  if (input.files.length) chosen(); // a quick hand: before this file was there
}

async function shrunk(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const zoom = SIDE_PX_MAX / Math.max(picture.width, picture.height);
    if (zoom >= 1) return file;
    const canvas = new OffscreenCanvas(Math.round(picture.width * zoom), Math.round(picture.height * zoom));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
    return new File([blob], "photo.jpg", { type: "image/jpeg" });
  } catch {
    return file; // the appliance says what is wrong with it
  }
}
