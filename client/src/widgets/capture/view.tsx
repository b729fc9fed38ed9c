import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { described, type WidgetProps } from "../props";

const MOST = 150_000; // bytes of a picture, recording or file
const PIXELS = 1024; // of the longer side, when the form does not say
const QUALITIES = [0.8, 0.65, 0.5, 0.35];
const ACCEPT: Record<string, string> = { image: "image/*", audio: "audio/*", file: "" };

/** A picture, recording or file. Pictures are drawn anew and smaller, so that nothing of the camera's notes stays in them. */
export function CaptureWidget(props: WidgetProps) {
  const { node, change, help } = props;
  const { type, appearance = "", parameters = {} } = node.element;
  const [trouble, setTrouble] = useState("");
  const take = async (event: Event): Promise<void> => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    setTrouble("");
    try {
      const pixels = Number(parameters["max-pixels"]) || PIXELS;
      const data = type === "image" ? await smaller(file, Math.min(pixels, 2048)) : file;
      if (!(await help.hasRoom(3 * data.size)))
        setTrouble(t("This phone is almost full: no room for it. Words still fit."));
      else if (data.size > MOST)
        setTrouble(t("This is too large. Keep it under 150 KB, about half a minute of speech."));
      else change(await asAddress(data));
    } catch {
      setTrouble(t("This could not be read. Try another one."));
    }
  };
  if (type === "audio" && !help.hasVoiceNotes)
    return (
      <p class="soft" id={props.id} tabIndex={-1}>
        {t("Voice notes are switched off at your centre.")}
      </p>
    );
  const isAway = node.text.startsWith("attachment:");
  const here = isAway ? "" : node.text;
  const front = /front|selfie/.test(appearance);
  const camera =
    type === "file" || !/new|front|selfie/.test(appearance)
      ? undefined
      : front
        ? "user"
        : "environment";
  return (
    <div class="stack">
      {isAway && (
        <p class="state">{t("It is with your centre, sealed: this phone cannot show it.")}</p>
      )}
      {here && type === "image" && (
        <img class="captured" src={here} alt={t("The picture you took")} />
      )}
      {here && type === "audio" && <audio controls src={here} />}
      {here && type === "file" && (
        <p>{t("File kept: {size} KB", { size: Math.ceil((here.length * 3) / 4096) })}</p>
      )}
      {trouble && (
        <p class="error" role="status">
          {trouble}
        </p>
      )}
      <input
        {...described(props)}
        type="file"
        accept={ACCEPT[type] || undefined}
        capture={camera}
        onChange={(event) => void take(event)}
      />
      {node.text && (
        <button type="button" class="btn quiet" onClick={() => change("")}>
          {t("Forget it")}
        </button>
      )}
    </div>
  );
}

async function smaller(file: Blob, pixels: number): Promise<Blob> {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, pixels / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  let data = new Blob();
  for (const quality of QUALITIES) {
    data = await new Promise<Blob>((done, failed) =>
      canvas.toBlob(
        (made) => (made ? done(made) : failed(new Error("no picture"))),
        "image/jpeg",
        quality,
      ),
    );
    if (data.size <= MOST) return data;
  }
  return pixels > 200 ? smaller(file, Math.floor(pixels * 0.6)) : data;
}

function asAddress(data: Blob): Promise<string> {
  const type = data.type.split(";")[0]!.toLowerCase() || "application/octet-stream";
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () =>
      done(String(reader.result).replace(/^data:[^,]*,/, `data:${type};base64,`));
    reader.onerror = () => failed(new Error("unreadable"));
    reader.readAsDataURL(data);
  });
}
