// How a wire shape of the vendor's model is written down here. Types only; the shapes stand in generated/.

interface Limits {
  /** Characters, entries or value, by type. */
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
}

/** Names in `members`, `member`, `key` and `value` are keys of `shapes`. */
export type Shape =
  | {
      readonly type: "structure";
      readonly members: Readonly<Record<string, string>>;
      readonly required: readonly string[];
    }
  | ({ readonly type: "list"; readonly member: string } & Limits)
  | ({ readonly type: "map"; readonly key: string; readonly value: string } & Limits)
  | ({ readonly type: "string" | "integer" | "number" | "boolean" | "timestamp" | "blob" } & Limits);

export interface OperationShape {
  readonly input: string;
  readonly output: string;
  /** Codes of the errors the vendor's model lists for the operation. */
  readonly errors: readonly string[];
}
