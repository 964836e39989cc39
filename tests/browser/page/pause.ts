/** How long to wait before the next attempt: up to 0.5 s, doubled with each failure, at most 30 s, at random. */
export const delayAfter = (failures: number) => Math.random() * Math.min(30_000, 500 * 2 ** failures);

/** Waits, but not longer than until the browser is back on a network. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
    addEventListener("online", end);
  });
}
