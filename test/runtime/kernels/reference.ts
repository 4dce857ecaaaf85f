/** The contract's sum, written as docs/kernels.md says it: the reference of tests that compare bits. */

type Round = (x: number) => number;

function foldBlock(
  x: readonly number[],
  combine: (a: number, b: number) => number,
  identity: number,
): number {
  const lane = Array.from({ length: 16 }, (_, j) =>
    x.filter((_, i) => i % 16 === j).reduce(combine, identity),
  );
  for (const half of [8, 4, 2, 1]) {
    for (let j = 0; j < half; j++) lane[j] = combine(lane[j], lane[j + half]);
  }
  return lane[0];
}

/** Folds a sequence in 16 lanes and blocks of 4096; `combine` must round. */
export function foldInLanes(
  x: readonly number[],
  combine: (a: number, b: number) => number,
  identity: number,
): number {
  if (x.length <= 4096) return foldBlock(x, combine, identity);
  const blocks: number[] = [];
  for (let i = 0; i < x.length; i += 4096) blocks.push(foldBlock(x.slice(i, i + 4096), combine, identity));
  return foldInLanes(blocks, combine, identity);
}

/** The sum of numbers of an element type that `round` rounds to. */
export const sumInLanes = (x: Iterable<number>, round: Round): number =>
  foldInLanes([...x], (a, b) => round(a + b), 0);
