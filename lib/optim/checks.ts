/** Checks of options that several rules have. */
import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import { BELOW_ONE, checkBoolean, checkNumber, NON_NEGATIVE } from "../options.js";

/** Throws an ArgumentError unless both are decay rates of running averages. */
export function checkBetas(owner: string, name: string, betas: unknown): void {
  if (!Array.isArray(betas) || betas.length !== 2) {
    const got = Array.isArray(betas) ? `an array of ${betas.length}` : describe(betas);
    throw new ArgumentError(`${owner}: ${name} must be an array of two numbers, got ${got}`);
  }
  betas.forEach((beta: unknown, i) => {
    checkNumber(owner, `${name}[${i}]`, beta, BELOW_ONE);
  });
}

/** Options that nearly every rule has. */
interface UsualOptions {
  lr: number;
  weightDecay: number;
  maximize: boolean;
}

/** Throws an ArgumentError for one of these outside its range. */
export function checkUsual(owner: string, { lr, weightDecay, maximize }: UsualOptions): void {
  checkNumber(owner, "lr", lr, NON_NEGATIVE);
  checkNumber(owner, "weightDecay", weightDecay, NON_NEGATIVE);
  checkBoolean(owner, "maximize", maximize);
}
