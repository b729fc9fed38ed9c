import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { CardWidget } from "../card/view";
import { canScan, Scanner } from "../scan_later";
import { describeField, listAppearances, type WidgetProps } from "../props";
import { describeNotAllowed, type QuestionType } from "../question_type";

/** A code typed in or, where the browser can, read by the camera. No picture is kept. */
function BarcodeWidget(props: WidgetProps) {
  const { node, change } = props;
  const [isScanning, setScanning] = useState(false);
  if (listAppearances(node).includes("card-code")) return <CardWidget {...props} />;
  return (
    <>
      <input
        {...describeField(props)}
        class="code"
        type="text"
        value={node.text}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => change((event.target as HTMLInputElement).value.trim())}
      />
      {isScanning ? (
        <Scanner
          read={(text) => {
            change(text);
            setScanning(false);
          }}
          stop={() => setScanning(false)}
        />
      ) : (
        canScan() && (
          <button type="button" class="btn" onClick={() => setScanning(true)}>
            {t("Scan with the camera")}
          </button>
        )
      )}
    </>
  );
}

export const barcode: QuestionType = {
  View: BarcodeWidget,
  hasSeveralFields: false,
  describeMistyped: describeNotAllowed,
};
