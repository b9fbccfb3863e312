/** The nonce without which the Content-Security-Policy refuses a style. */

export const STYLE_NONCE = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";

/** Gives the nonce to each style element that a script of the page makes. Ant Design sets it on the styles of its
 * components only: not on those with which it measures scroll bars and locks scrolling, nor on the empty ones in
 * some of its icons. Only our own scripts run here, so this lets nobody else add a style. Must be called once,
 * before anything is rendered. */
export function giveNonceToStyles(): void {
  document.createElement = givingNonce(document.createElement.bind(document));
  document.createElementNS = givingNonce(document.createElementNS.bind(document));
}

// biome-ignore lint/suspicious/noExplicitAny: the functions of the document are overloaded
function givingNonce(create: (...given: any[]) => Element) {
  // biome-ignore lint/suspicious/noExplicitAny: the functions of the document are overloaded
  return (...given: any[]): any => {
    const made = create(...given);
    if (made instanceof HTMLStyleElement || made instanceof SVGStyleElement) made.nonce = STYLE_NONCE;
    return made;
  };
}
