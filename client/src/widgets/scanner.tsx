/** The camera as a reader of codes, where the browser has one. No picture is kept. */

import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
declare const BarcodeDetector: { new (): Detector } | undefined;

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
    const look = async (detector: Detector): Promise<void> => {
      const codes = video.current ? await detector.detect(video.current).catch(() => []) : [];
      if (isOver) return;
      if (codes[0]) read(codes[0].rawValue.trim());
      else timer = setTimeout(() => void look(detector), EVERY);
    };
    navigator.mediaDevices
      .getUserMedia({ video: { facingMode: "environment" } })
      .then(async (opened) => {
        stream = opened;
        if (isOver || !video.current) return opened.getTracks().forEach((track) => track.stop());
        video.current.srcObject = opened;
        await video.current.play();
        await look(new BarcodeDetector!());
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
