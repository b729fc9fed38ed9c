/** Reads QR codes where the browser cannot: a piece loaded when somebody scans. */

import { decodeQR } from "qr/decode.js";

const SIDE = 480; // pixels: a card fills most of the picture, and more only takes longer

/** The text of the QR code in a picture; "" where there is none that can be read. */
export function readPicture(picture: Pick<ImageData, "width" | "height" | "data">): string {
  try {
    return decodeQR(picture);
  } catch {
    return ""; // most pictures of a camera that is being moved to a card have none
  }
}

/** The text of the QR code that a camera sees now; "" for none. */
export function readVideo(video: HTMLVideoElement, canvas: HTMLCanvasElement): string {
  const { videoWidth, videoHeight } = video;
  if (!videoWidth || !videoHeight) return "";
  const scale = Math.min(1, SIDE / Math.min(videoWidth, videoHeight));
  canvas.width = Math.round(videoWidth * scale);
  canvas.height = Math.round(videoHeight * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return "";
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return readPicture(context.getImageData(0, 0, canvas.width, canvas.height));
}
