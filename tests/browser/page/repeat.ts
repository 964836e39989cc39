/** Runs `work` one at a time: who asks while it runs makes it run once more afterwards. */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;
  const run = async () => {
    while (again) {
      again = false;
      await work();
    }
  };
  return () => {
    again = true;
    return (running ??= run().finally(() => (running = undefined)));
  };
}
