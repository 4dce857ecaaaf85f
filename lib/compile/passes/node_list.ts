/**
 * A list of nodes in which several are made one, without any other node seeing the difference. What is known of the nodes
 * (where they stand, who reads what) is kept up to date, so that a pass over many small fusions stays linear.
 */
import { Accesses, accessOf, type Buffer, type Node } from "../graph.js";

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

/** The nodes between the first and the last member, apart from the members: those that go before them, and those behind. */
export interface Parted {
  readonly first: number;
  readonly last: number;
  readonly before: readonly Node[];
  readonly after: readonly Node[];
}

export class NodeList {
  readonly accesses: Accesses;
  /** With gaps where nodes were made one, so that the others keep their places. */
  private readonly places: (Node | undefined)[];
  private readonly positions = new Map<Node, number>();

  constructor(nodes: readonly Node[]) {
    this.places = [...nodes];
    this.accesses = new Accesses(nodes);
    nodes.forEach((node, i) => {
      this.positions.set(node, i);
    });
  }

  get nodes(): Node[] {
    return this.places.filter((node) => node !== undefined);
  }

  has(node: Node): boolean {
    return this.positions.has(node);
  }

  /** The nodes that read any of the buffers, in their order. */
  readersOf(buffers: Iterable<Buffer>): Node[] {
    const found = new Set<Node>();
    for (const buffer of buffers) for (const node of this.accesses.readers.get(buffer) ?? []) found.add(node);
    return [...found].sort((a, b) => this.positionOf(a) - this.positionOf(b));
  }

  positionOf(node: Node): number {
    return this.positions.get(node) as number;
  }

  /** How the members can be brought together; undefined where a node between them both needs one and is needed by one. */
  part(members: ReadonlySet<Node>): Parted | undefined {
    let first = Number.POSITIVE_INFINITY;
    let last = -1;
    for (const node of members) {
      first = Math.min(first, this.positionOf(node));
      last = Math.max(last, this.positionOf(node));
    }
    const together = new Touched();
    const behind = new Touched();
    const before: Node[] = [];
    const after: Node[] = [];
    for (let i = first; i <= last; i++) {
      const node = this.places[i];
      if (node === undefined) continue;
      if (members.has(node)) {
        if (behind.precede(node)) return undefined;
        together.add(node);
      } else if (together.precede(node) || behind.precede(node)) {
        after.push(node);
        behind.add(node);
      } else {
        before.push(node);
      }
    }
    return { first, last, before, after };
  }

  /** Puts one node in the place of the members. */
  replace(members: ReadonlySet<Node>, { first, last, before, after }: Parted, by: Node): void {
    for (const node of members) {
      this.accesses.remove(node);
      this.positions.delete(node);
    }
    this.accesses.add(by);
    const segment = [...before, by, ...after];
    for (let i = first; i <= last; i++) {
      const node = segment[i - first];
      this.places[i] = node;
      if (node !== undefined) this.positions.set(node, i);
    }
  }
}
