import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { describeField, type WidgetProps } from "../props";
import { LARGEST, readAsAddress, shrinkPicture } from "./files";

const PIXELS = 1024; // of a picture's longer side, when the form does not say
const MOST_PIXELS = 2048;
const ACCEPT: Record<string, string> = { image: "image/*", audio: "audio/*", file: "" };

/** Which camera or microphone a question opens at once; none where the worker may choose a file. */
export function chooseSource(type: string, appearance: string): "user" | "environment" | undefined {
  if (type === "file" || !/new|front|selfie/.test(appearance)) return undefined;
  return /front|selfie/.test(appearance) ? "user" : "environment";
}

/** A picture, recording or file. */
export function CaptureWidget(props: WidgetProps) {
  const { node, change, help } = props;
  const { type, appearance = "", parameters = {} } = node.element;
  const [problem, setProblem] = useState("");
  const take = async (event: Event): Promise<void> => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    setProblem("");
    try {
      const pixels = Math.min(Number(parameters["max-pixels"]) || PIXELS, MOST_PIXELS);
      const data = type === "image" ? await shrinkPicture(file, pixels) : file;
      const hasRoom = await help.hasRoom(3 * data.size);
      if (!hasRoom) setProblem(t("This phone is almost full: no room for it. Words still fit."));
      else if (data.size > LARGEST) {
        setProblem(t("This is too large. The limit is 150 KB, about half a minute of speech."));
      } else change(await readAsAddress(data));
    } catch {
      setProblem(t("This could not be read. Try another one."));
    }
  };
  if (type === "audio" && !help.hasVoiceNotes) {
    return (
      <p class="soft" id={props.id} tabIndex={-1}>
        {t("Voice notes are switched off at your centre.")}
      </p>
    );
  }
  return (
    <div class="stack">
      <Captured type={type} address={node.text} />
      {problem && (
        <p class="error" role="status">
          {problem}
        </p>
      )}
      <input
        {...describeField(props)}
        type="file"
        accept={ACCEPT[type] || undefined}
        capture={chooseSource(type, appearance)}
        onChange={(event) => void take(event)}
      />
      {node.text && (
        <button type="button" class="btn quiet" onClick={() => change("")}>
          {t("Remove")}
        </button>
      )}
    </div>
  );
}

/** What was taken; what the centre has is only named, for it is sealed. */
function Captured({ type, address }: { type: string; address: string }) {
  if (!address) return null;
  if (address.startsWith("attachment:")) {
    return (
      <p class="state">{t("Your centre has the record, encrypted: this phone cannot show it.")}</p>
    );
  }
  if (type === "image")
    return <img class="captured" src={address} alt={t("The picture you took")} />;
  if (type === "audio") return <audio controls src={address} />;
  const size = Math.ceil((address.length * 3) / 4096); // base64 writes 3 bytes as 4 characters
  return <p>{t("File saved: {size} KB", { size })}</p>;
}
