import { showToast } from "@siemens/ix-react";
import { t } from "../texts/en";

export type Weight = "info" | "success" | "warning" | "error";

/** A short message that goes by itself; what must be acted on is shown in the page, not here. */
export function notify(message: string, type: Weight = "info"): void {
  void showToast({ message, type, autoCloseDelay: 5000 });
}

export async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(window.location.href);
    notify(t.linkCopied, "success");
  } catch {
    notify(t.linkNotCopied, "warning");
  }
}
