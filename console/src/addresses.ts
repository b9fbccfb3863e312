/** The addresses of the screens. */

export function segmentAddress(segmentId: string, tab?: string): string {
  const address = `/segments/${encodeURIComponent(segmentId)}`;
  return tab === undefined ? address : `${address}?tab=${tab}`;
}

export function editAddress(segmentId: string): string {
  return `${segmentAddress(segmentId)}/edit`;
}

export function explainAddress(segmentId: string, contactId: string): string {
  return `${segmentAddress(segmentId)}/explain/${encodeURIComponent(contactId)}`;
}

export function contactAddress(contactId: string): string {
  return `/contacts/${encodeURIComponent(contactId)}`;
}
