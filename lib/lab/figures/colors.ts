/** Colours of the figures: CSS variables with one value for light and one for dark (style.ts). */
export const BLUE = "var(--blue)";
export const ORANGE = "var(--orange)";
export const GREEN = "var(--green)";
export const RED = "var(--red)";
export const VIOLET = "var(--violet)";
export const TEAL = "var(--teal)";
/** What others are compared with. */
export const GREY = "var(--grey)";
