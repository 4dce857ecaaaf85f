/**
 * The digits as pen strokes: for each class, the ways people write it. Shapes only; size, slant, shake and
 * ink belong to whoever draws them.
 *
 * A skeleton is written as text: strokes parted by `/`, each a list of points `x,y` that the pen passes
 * smoothly; at a point marked `!` it turns sharply. The box is 100 wide and 100 high, y points down.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly corner: boolean;
}

/** Strokes of one digit, in the unit box. */
export type Skeleton = readonly (readonly Point[])[];

const TEXTS: readonly (readonly string[])[] = [
  [
    "58,4 38,6 20,28 17,58 30,90 54,97 77,80 83,48 74,16 52,3 40,8", // ends overlap
    "50,2 32,20 27,52 34,84 50,98 66,84 73,50 66,18 50,2 42,7", // narrow
    "64,10 40,4 20,25 16,55 28,88 52,97 76,82 84,50 76,22 60,6", // nearly closed
    "38,14 22,40 22,70 40,96 64,92 80,64 80,32 64,6 44,6 36,18 48,24 66,14", // a curl on top
  ],
  [
    "50,2 50,50 50,98", // a bar
    "30,25 44,14 54,2! 54,50 54,98", // flag
    "32,22 44,14 52,2! 52,50 52,97 / 28,97 52,97 76,97", // flag and foot
    "52,2 51,50 50,97 / 30,97 50,98 70,97", // foot
  ],
  [
    "20,24 32,6 54,2 74,14 74,36 56,60 36,80 18,97! 50,96 84,96", // sharp foot
    "20,26 34,6 56,3 74,18 70,42 50,68 30,90 18,88 22,77 36,78 56,93 86,92", // a loop below
    "22,22 40,4 64,6 76,26 66,50 44,74 20,96! 38,88 60,97 84,88", // a waved foot
    "20,12 48,4 74,8 72,30 48,62 18,96! 50,97 82,96", // like a z
  ],
  [
    "22,14 44,2 68,8 74,26 62,42 42,48! 66,52 80,70 70,90 46,98 20,88", // two bows
    "20,4 50,4 78,4! 60,24 44,42! 68,48 80,68 70,90 46,98 20,90", // flat top
    "22,12 46,2 72,12 70,34 52,46 40,50 52,52 74,60 80,78 62,96 38,97 18,86", // a soft waist
  ],
  [
    "30,4 24,34 16,62! 50,62 86,60 / 66,14! 66,50 64,98", // open
    "62,2 40,30 14,68! 50,68 88,68 / 62,2 62,50 62,98", // closed
    "26,4 24,32 30,52 50,57 74,50 / 76,4 74,50 70,98", // like a u with a stem
    "58,4 38,34 14,64! 50,65 86,62 / 66,36 62,70 60,98", // short stem
  ],
  [
    "76,4 50,4 28,5! 26,24 24,44! 46,36 70,44 80,66 70,88 46,98 20,90", // one stroke
    "30,6 28,26 26,44! 48,38 72,48 80,70 66,92 42,98 20,88 / 30,6 54,6 80,3", // the hat last
    "76,6 46,4 30,16 30,36 50,46 72,58 76,78 58,96 34,96 18,86", // like an s
  ],
  [
    "66,3 42,20 24,48 20,72 32,94 56,97 76,84 76,64 58,52 36,58 22,74", // bent stem
    "56,2 40,28 26,56 22,78 38,97 62,96 76,80 70,62 50,56 30,66 24,78", // straight stem
    "76,12 58,2 34,14 22,42 20,70 34,94 58,97 78,80 72,58 50,50 30,60 22,74", // hooked stem
  ],
  [
    "18,8 50,6 82,4! 64,36 50,66 40,98", // plain
    "18,8 50,6 82,4! 64,36 50,66 40,98 / 34,52 56,50 78,48", // barred
    "18,22 18,6! 50,5 82,4! 62,40 50,70 46,98", // hooked
    "16,10 48,6 78,5 78,24 58,56 46,98", // round corner
  ],
  [
    "72,16 52,2 30,10 28,28 48,44 70,60 78,80 58,97 34,95 22,78 34,58 54,46 72,30 72,14", // one s, closed
    "50,2 30,10 28,30 48,46 70,32 70,12 50,2 44,5 / 50,46 26,58 22,82 48,98 76,84 74,60 50,46 42,49", // rings
    "70,12 46,4 30,18 38,38 60,54 74,76 58,96 34,94 26,76 44,52 62,36 74,18", // slim, open on top
  ],
  [
    "76,14 54,3 30,12 24,34 38,52 60,48 76,28 78,10! 76,50 74,98", // straight tail
    "76,24 62,4 36,6 22,28 34,50 58,50 76,28 78,18 80,50 70,84 48,98 26,90", // curved tail
    "74,20 56,3 34,10 26,32 40,50 62,44 76,20! 68,56 52,98", // slanted tail
  ],
];

/** `SKELETONS[d]` are the ways to write the digit d. */
export const SKELETONS: readonly (readonly Skeleton[])[] = TEXTS.map((texts) => texts.map(parseSkeleton));

function parseSkeleton(text: string): Skeleton {
  return text.split("/").map((stroke) => stroke.trim().split(" ").map(parsePoint));
}

function parsePoint(text: string): Point {
  const [x, y] = text.replace("!", "").split(",").map(Number);
  return { x: x / 100, y: y / 100, corner: text.endsWith("!") };
}
