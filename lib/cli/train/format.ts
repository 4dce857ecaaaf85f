/** Numbers as people read them. */

/** `12,345`. */
export const formatCount = (value: number): string => Math.round(value).toLocaleString("en-US");

/** `97.85 %`. */
export const formatPercent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** Four significant digits. */
export const formatNumber = (value: number): string => String(Number(value.toPrecision(4)));
