/** Tables that take a while to compute and that most programs never need. */

/** A function that makes a value when it is first called, and returns it from then on. */
export function lazy<Value extends object>(make: () => Value): () => Value {
  let value: Value | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
