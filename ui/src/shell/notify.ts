import { showToast } from "@siemens/ix-react";
import { t } from "../texts/en";

export type Weight = "info" | "success" | "warning" | "error";

/** A short message that goes by itself; what must be acted on is shown in the page, not here. */
export function notify(message: string, type: Weight = "info"): void {
  void showToast({ message, type, autoCloseDelay: 5000 }).then(() => nameIcons());
}

/** The library draws the weight of a message as a picture without a name; people who hear the page need one. */
function nameIcons(frames = 60): void {
  const toasts = [...document.querySelectorAll<HTMLIxToastElement>("ix-toast")];
  const icons = toasts.map((toast) => toast.shadowRoot?.querySelector("ix-icon"));
  icons.forEach((icon, n) => icon?.setAttribute("aria-label", t.weights[toasts[n]?.type ?? "info"]));
  if (frames > 0 && icons.some((icon) => !icon)) requestAnimationFrame(() => nameIcons(frames - 1));
}

export async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(window.location.href);
    notify(t.linkCopied, "success");
  } catch {
    notify(t.linkNotCopied, "warning");
  }
}
