// The progress line of a verification, on a terminal only: it stands below what is printed and is gone at the end.
import type { Terminal } from "../terminal.ts";

const redrawMsMin = 100;
const barWidth = 30;
const clearLine = "\r\u001b[K";

export class Progress {
  private readonly terminal: Terminal;
  private listed = 0;
  private checked = 0;
  private drawnMs = -Infinity;
  private isDrawn = false;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  change({ listed = 0, checked = 0 }: { readonly listed?: number; readonly checked?: number }): void {
    this.listed += listed;
    this.checked += checked;
    if (!this.terminal.isErrorTty) return;
    const nowMs = performance.now();
    if (nowMs - this.drawnMs < redrawMsMin) return;
    this.drawnMs = nowMs;
    this.isDrawn = true;
    this.terminal.writeError(clearLine + this.line());
  }

  /** Makes room for other lines. */
  clear(): void {
    if (this.isDrawn) this.terminal.writeError(clearLine);
    this.isDrawn = false;
  }

  /** What was listed grows as accounts and Regions are found; a digest may name files that are not there. */
  private line(): string {
    const share = this.listed === 0 ? 0 : Math.min(1, this.checked / this.listed);
    const bar = "#".repeat(Math.floor(share * barWidth)).padEnd(barWidth, "-");
    return `[${bar}] ${this.checked.toLocaleString("en")} of ${this.listed.toLocaleString("en")} log files`;
  }
}
