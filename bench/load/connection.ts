// One keep-alive connection that sends prepared requests and reads just enough of the answers: the load generator
// shares the machine with what it measures, so every microsecond it saves is the server's.
import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

type Answered = (answer: Answer) => void;

const endOfHead = Buffer.from("\r\n\r\n");

export class Connection {
  readonly #host: string;
  readonly #port: number;
  readonly #onFailure: (error: Error) => void;
  #socket: Socket | undefined;
  #received: Buffer | undefined;
  #answered: Answered | undefined;

  constructor(url: URL, onFailure: (error: Error) => void) {
    this.#host = url.hostname;
    this.#port = Number(url.port);
    this.#onFailure = onFailure;
  }

  /** Connects ahead of the first request, so that no measured one pays for it. */
  open(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket = this.#connected();
      this.#socket.once("connect", resolve);
    });
  }

  /** One request at a time: the next only when `answered` was called. */
  send(request: Buffer, answered: Answered): void {
    this.#answered = answered;
    this.#socket ??= this.#connected();
    this.#socket.write(request);
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connected(): Socket {
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    socket.on("data", (chunk: Buffer) => this.#take(socket, chunk));
    socket.on("error", (error) => this.#onFailure(error));
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      if (this.#answered) this.#onFailure(new Error("The server closed a connection before its answer."));
    });
    return socket;
  }

  #take(socket: Socket, chunk: Buffer): void {
    const received = this.#received ? Buffer.concat([this.#received, chunk]) : chunk;
    const head = headOf(received);
    if (!head || received.length < head.end + head.bodyBytes) {
      this.#received = received;
      return;
    }
    this.#received = undefined;
    const answered = this.#answered;
    this.#answered = undefined;
    if (head.isLast) {
      this.#socket = undefined;
      socket.destroy();
    }
    answered?.({
      status: head.status,
      body: received.toString("latin1", head.end, head.end + head.bodyBytes),
    });
  }
}

/** Status, length and end of a response's head; undefined while it is not whole. */
function headOf(bytes: Buffer) {
  const at = bytes.indexOf(endOfHead);
  if (at < 0) return undefined;
  const text = bytes.toString("latin1", 0, at).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(text)?.[1];
  if (length === undefined) throw new Error(`An answer without Content-Length: ${text}`);
  const isLast = text.includes("\r\nconnection: close") || text.startsWith("http/1.0");
  return { status: Number(text.slice(9, 12)), end: at + 4, bodyBytes: Number(length), isLast };
}
