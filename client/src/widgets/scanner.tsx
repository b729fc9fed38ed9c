/** The camera as a reader of codes, with the browser’s reader or ours. No picture is kept. */

import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
declare const BarcodeDetector: { new (): Detector } | undefined;

/** Looks once at what the camera sees; "" for no code. */
type Look = (video: HTMLVideoElement) => Promise<string>;

async function makeLook(): Promise<Look> {
  if ("BarcodeDetector" in globalThis) {
    const detector = new BarcodeDetector!();
    return async (video) => (await detector.detect(video).catch(() => []))[0]?.rawValue ?? "";
  }
  const { readVideo } = await import("./qr_reading");
  const canvas = document.createElement("canvas");
  return (video) => Promise.resolve(readVideo(video, canvas));
}

const EVERY = 200; // milliseconds between two looks

export interface ScannerProps {
  read: (text: string) => void;
  stop: () => void;
}

export function Scanner({ read, stop }: ScannerProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [isRefused, setRefused] = useState(false);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const lookOn = async (look: Look): Promise<void> => {
      const text = video.current ? await look(video.current) : "";
      if (isOver) return;
      if (text) read(text.trim());
      else timer = setTimeout(() => void lookOn(look), EVERY);
    };
    navigator.mediaDevices
      .getUserMedia({ video: { facingMode: "environment" } })
      .then(async (opened) => {
        stream = opened;
        if (isOver || !video.current) return opened.getTracks().forEach((track) => track.stop());
        video.current.srcObject = opened;
        await video.current.play();
        await lookOn(await makeLook());
      })
      .catch(() => setRefused(true));
    return () => {
      isOver = true;
      clearTimeout(timer);
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);
  return (
    <div class="scanner">
      {isRefused ? (
        <p class="error" role="status">
          {t("The camera could not be opened. Type the code in.")}
        </p>
      ) : (
        <video ref={video} muted playsInline aria-label={t("What the camera sees")} />
      )}
      <button type="button" class="btn" onClick={stop}>
        {t("Close the camera")}
      </button>
    </div>
  );
}
