// The operations by name, and what a handler of each looks like. Types only.
import type { Call } from "./call.ts";
import type { OperationTypes } from "./generated/operation-types.ts";

export type OperationName = keyof OperationTypes;
export type Input<Name extends OperationName> = OperationTypes[Name]["input"];
export type Output<Name extends OperationName> = OperationTypes[Name]["output"];

/** Takes a decoded, constraint-checked input; returns the output or throws an ApiError. */
export type Handler<Name extends OperationName> = (input: Input<Name>, call: Call) => Promise<Output<Name>>;

/** One handler per operation: a missing one does not compile. */
export type Operations = { readonly [Name in OperationName]: Handler<Name> };
