/** Hand a file to the worker: by the phone's own way to share, else as a download. */

/** Offer the file; says "saved" when it was handed over, "" when the worker changed their mind. */
export async function offerFile(file: File): Promise<"" | "saved"> {
  if (navigator.canShare?.({ files: [file] }) && matchMedia("(pointer: coarse)").matches) {
    try {
      await navigator.share({ files: [file] });
      return "saved";
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return "";
    }
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return "saved";
}
