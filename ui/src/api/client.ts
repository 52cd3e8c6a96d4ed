import type { FaultShape } from "./types";

/** A call that failed: the API's own fault, or what stands between us and the API. */
export class ApiError extends Error {
  readonly status: number;
  readonly fault: FaultShape;
  readonly faults: FaultShape[];

  constructor(status: number, fault: FaultShape, faults: FaultShape[] = []) {
    super(fault.message);
    this.name = "ApiError";
    this.status = status;
    this.fault = fault;
    this.faults = faults.length ? faults : [fault];
  }
}

const BASE = "/api/v1";
let csrf = "";
let onSignedOut: () => void = () => undefined;

export function rememberCsrf(token: string): void {
  csrf = token;
}

/** Called once when an answer says that nobody is signed in any more. */
export function whenSignedOut(callback: () => void): void {
  onSignedOut = callback;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export function path(parts: TemplateStringsArray, ...values: string[]): string {
  return parts.reduce((text, part, i) => text + encodeURIComponent(values[i - 1] ?? "") + part);
}

export function withQuery(url: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(key, String(value));
  }
  const text = search.toString();
  return text ? `${url}${url.includes("?") ? "&" : "?"}${text}` : url;
}

/** Answers come with an ETag; the last body of each address is kept so that a 304 costs nothing. */
const tagged = new Map<string, { tag: string; body: unknown }>();
const TAGGED_AT_MOST = 200;

export async function get<T>(url: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const address = absolute(withQuery(url, query));
  const known = tagged.get(address);
  const headers: Record<string, string> = { Accept: "application/json" };
  if (known) headers["If-None-Match"] = known.tag;
  const answer = await send(address, { headers, signal });
  if (answer.status === 304 && known) return known.body as T;
  const body = await read(answer);
  const tag = answer.headers.get("ETag");
  if (tag) {
    if (tagged.size >= TAGGED_AT_MOST) tagged.delete(tagged.keys().next().value ?? "");
    tagged.set(address, { tag, body });
  }
  return body as T;
}

/** An answer, or null where it is refused with that code. */
export async function unless<T>(code: string, answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.fault.code === code) return null;
    throw error;
  }
}

export async function post<T>(url: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
  return (await change("POST", url, body, headers)) as T;
}

/** A file as it is, with its media type. */
export async function postFile<T>(url: string, content: Blob, type: string): Promise<T> {
  const headers = { Accept: "application/json", "X-CSRF-Token": csrf, "Content-Type": type };
  return (await read(await send(absolute(url), { method: "POST", headers, body: content }))) as T;
}

export async function put<T>(url: string, body: unknown): Promise<T> {
  return (await change("PUT", url, body, {})) as T;
}

/** A file as it is. */
export async function putFile<T>(url: string, content: Blob): Promise<T> {
  const headers = { Accept: "application/json", "X-CSRF-Token": csrf, "Content-Type": "application/octet-stream" };
  return (await read(await send(absolute(url), { method: "PUT", headers, body: content }))) as T;
}

export async function remove(url: string): Promise<void> {
  await change("DELETE", url, undefined, {});
}

/** A file that the node may take its time to make; its name is the one that the node gives it. */
export async function getFile(url: string, signal?: AbortSignal): Promise<{ content: Uint8Array<ArrayBuffer>; name: string; type: string }> {
  const answer = await send(absolute(url), { headers: { Accept: "*/*" }, signal });
  if (!answer.ok) await read(answer);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "";
  return { content: new Uint8Array(await answer.arrayBuffer()), name, type: answer.headers.get("Content-Type") ?? "" };
}

async function change(method: string, url: string, body: unknown, extra: Record<string, string>): Promise<unknown> {
  const headers: Record<string, string> = { Accept: "application/json", "X-CSRF-Token": csrf, ...extra };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await send(absolute(url), {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return read(answer);
}

function absolute(url: string): string {
  return url.startsWith("/api/") ? url : BASE + url;
}

async function send(address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, {
      code: "network:unreachable",
      message: "The servitwin node does not answer.",
      hint: "Check the network; this page tries again by itself.",
      where: address,
    });
  }
}

async function read(answer: Response): Promise<unknown> {
  if (answer.status === 204) return null;
  const text = await answer.text();
  const body = parse(text);
  if (answer.ok) return body;
  if (answer.status === 401) onSignedOut();
  const fault = isFault(body)
    ? body
    : {
        code: `http:${answer.status}`,
        message: `The node answered ${answer.status} ${answer.statusText}.`,
        hint: "Try again; if it stays, look at System health.",
        where: answer.url,
      };
  const faults = (fault as { faults?: FaultShape[] }).faults ?? [];
  throw new ApiError(answer.status, fault, faults);
}

function parse(text: string): unknown {
  if (!text) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function isFault(body: unknown): body is FaultShape {
  return typeof body === "object" && body !== null && "code" in body && "message" in body;
}
