/** What `JSON.parse` does not tell: that an object has a key twice. */

/** The first key that occurs twice in one object, or undefined. `json` must be valid JSON. */
export function duplicateKey(json: string): string | undefined {
  const open: (Set<string> | null)[] = []; // keys of each object around the position, null for an array
  let expectsKey = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === "{" || character === "[") {
      open.push(character === "{" ? new Set() : null);
      expectsKey = character === "{";
    } else if (character === "}" || character === "]") {
      open.pop();
      expectsKey = false;
    } else if (character === ",") {
      expectsKey = open.at(-1) !== null;
    } else if (character === '"') {
      const end = endOfString(json, at);
      const keys = open.at(-1);
      if (expectsKey && keys) {
        const key: string = JSON.parse(json.slice(at, end + 1));
        if (keys.has(key)) return key;
        keys.add(key);
      }
      expectsKey = false;
      at = end;
    }
  }
  return undefined;
}

/** Position of the quote that closes the string whose opening quote is at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at;
}
