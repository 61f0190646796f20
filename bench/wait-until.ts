// Waits for a server to reach a state, asking seldom: every question to /metrics costs the measured process.

/** Asks four times a second; throws after `secondsMax` with what it waited for. */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  secondsMax = 180,
): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > secondsMax * 1000) {
      throw new Error(`Waited ${String(secondsMax)} s in vain until ${what}.`);
    }
    await seconds(0.25);
  }
}

export function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
