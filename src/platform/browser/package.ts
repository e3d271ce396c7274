/** Set by scripts/build.js. */
declare const TCPAUTOPSY_VERSION: string;

export const VERSION: string = TCPAUTOPSY_VERSION;
