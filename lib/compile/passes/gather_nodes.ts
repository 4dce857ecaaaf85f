/** Brings nodes together that are to become one, without any other node seeing the difference. */
import { accessOf, type Buffer, type Node } from "../graph.js";

/** Buffers that some nodes read and write. */
class Touched {
  private readonly reads = new Set<Buffer>();
  private readonly writes = new Set<Buffer>();

  add(node: Node): void {
    const { reads, writes } = accessOf(node);
    for (const buffer of reads) this.reads.add(buffer);
    for (const buffer of writes) this.writes.add(buffer);
  }

  /** Whether a node that follows must stay behind them. */
  precede(node: Node): boolean {
    const { reads, writes } = accessOf(node);
    return (
      reads.some((buffer) => this.writes.has(buffer)) ||
      writes.some((buffer) => this.writes.has(buffer) || this.reads.has(buffer))
    );
  }
}

/** The nodes from the first to the last member, apart from the members: those that go before them, and those behind. */
export interface Parted {
  readonly first: number;
  readonly last: number;
  readonly before: readonly Node[];
  readonly after: readonly Node[];
}

/** How the members can be brought together; undefined where a node between them both needs one and is needed by one. */
export function part(nodes: readonly Node[], members: ReadonlySet<Node>): Parted | undefined {
  const first = nodes.findIndex((node) => members.has(node));
  let left = members.size;
  const together = new Touched();
  const behind = new Touched();
  const before: Node[] = [];
  const after: Node[] = [];
  let last = first;
  for (; left > 0; last++) {
    const node = nodes[last];
    if (members.has(node)) {
      if (behind.precede(node)) return undefined;
      together.add(node);
      left--;
    } else if (together.precede(node) || behind.precede(node)) {
      after.push(node);
      behind.add(node);
    } else {
      before.push(node);
    }
  }
  return { first, last: last - 1, before, after };
}

/** Puts one node in the place of the members. */
export function replaceMembers(
  nodes: readonly Node[],
  { first, last, before, after }: Parted,
  by: Node,
): Node[] {
  return [...nodes.slice(0, first), ...before, by, ...after, ...nodes.slice(last + 1)];
}
