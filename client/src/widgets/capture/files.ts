/** Pictures, recordings and files as answers: made small, and written as text. */

export const LARGEST = 150_000; // bytes of a picture, recording or file
const QUALITIES = [0.8, 0.65, 0.5, 0.35];
const FEWEST_PIXELS = 200;

const writeJpeg = (canvas: HTMLCanvasElement, quality: number): Promise<Blob> =>
  new Promise((done, failed) => {
    canvas.toBlob(
      (blob) => (blob ? done(blob) : failed(new Error("no picture"))),
      "image/jpeg",
      quality,
    );
  });

/** Draw a picture again and smaller, so that nothing of the camera's notes stays in it. */
export async function shrinkPicture(file: Blob, pixels: number): Promise<Blob> {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, pixels / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  let data = new Blob();
  for (const quality of QUALITIES) {
    data = await writeJpeg(canvas, quality);
    if (data.size <= LARGEST) return data;
  }
  return pixels > FEWEST_PIXELS ? shrinkPicture(file, Math.floor(pixels * 0.6)) : data;
}

/** The media type of a file as a data address may have it: without parameters, never empty. */
export function plainType(type: string): string {
  return type.split(";")[0]!.toLowerCase() || "application/octet-stream";
}

/** A file as a data address. */
export function readAsAddress(data: Blob): Promise<string> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => {
      const base64 = String(reader.result).replace(/^data:[^,]*,/, "");
      done(`data:${plainType(data.type)};base64,${base64}`);
    };
    reader.onerror = () => failed(new Error("unreadable"));
    reader.readAsDataURL(data);
  });
}
