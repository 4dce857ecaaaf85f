/**
 * The typed errors of the package. Every message names the operation, prints what came and says what was needed:
 * `matmul: inner dimensions differ: a is [2,3], b is [4,5]; a.shape[1] must equal b.shape[0]`.
 */

/** Base class of every error that thalweg throws on purpose; `code` is stable, the message is for people. */
export class ThalwegError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** Shapes that do not fit each other or the operation. */
export class ShapeError extends ThalwegError {
  constructor(message: string) {
    super("ERR_SHAPE", message);
  }
}

/** An element type that the operation does not take. */
export class DTypeError extends ThalwegError {
  constructor(message: string) {
    super("ERR_DTYPE", message);
  }
}

/** An index, label or axis outside its range. */
export class IndexError extends ThalwegError {
  constructor(message: string) {
    super("ERR_INDEX", message);
  }
}

/** An argument or option of the wrong kind or outside its range. */
export class ArgumentError extends ThalwegError {
  constructor(message: string) {
    super("ERR_ARGUMENT", message);
  }
}

/** A derivative that cannot be taken: no graph, a released graph, a saved value that was overwritten. */
export class GradientError extends ThalwegError {
  constructor(message: string) {
    super("ERR_GRADIENT", message);
  }
}

/** A Hessian that is not positive definite where a method needs one that is. */
export class CurvatureError extends ThalwegError {
  /** The smallest eigenvalue that was found, not above 0. */
  readonly smallestEigenvalue: number;

  constructor(message: string, smallestEigenvalue: number) {
    super("ERR_CURVATURE", message);
    this.smallestEigenvalue = smallestEigenvalue;
  }
}

/** Where a NaN came from, as far as it is known. */
export interface AnomalyPlace {
  /** The operation, such as `log`. */
  readonly operation?: string;
  readonly phase?: "data" | "forward" | "backward" | "update";
  /** The layer by its name in the model and its class, such as `2 (Linear)`; after an update the parameter's name. */
  readonly layer?: string;
  /** The epoch, from 1, and the step within it, from 1. */
  readonly epoch?: number;
  readonly step?: number;
}

/** A NaN or an infinity where anomaly detection was asked for. */
export class AnomalyError extends ThalwegError {
  readonly place: AnomalyPlace;
  constructor(message: string, place: AnomalyPlace = {}, options?: ErrorOptions) {
    super("ERR_ANOMALY", message, options);
    this.place = place;
  }
}

/** A file or byte stream that is not what it claims to be. */
export class FormatError extends ThalwegError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_FORMAT", message, options);
  }
}

/** A state dict or checkpoint that does not belong to the model or optimizer it is loaded into. */
export class StateError extends ThalwegError {
  constructor(message: string) {
    super("ERR_STATE", message);
  }
}

/** An executor that cannot be loaded, or that is asked for something it does not have. */
export class BackendError extends ThalwegError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_BACKEND", message, options);
  }
}

/** A program that no executor may run: unknown kernel, bad slot, an extent outside its buffer. */
export class ProgramError extends ThalwegError {
  constructor(message: string) {
    super("ERR_PROGRAM", message);
  }
}

/** Something in a compiled function that a trace cannot hold, such as reading a value. */
export class TraceError extends ThalwegError {
  constructor(message: string) {
    super("ERR_TRACE", message);
  }
}

/** A tensor that a run in the background is using. */
export class BusyError extends ThalwegError {
  constructor(message: string) {
    super("ERR_BUSY", message);
  }
}
