/** The addresses of the screens. */

export function segmentAddress(segmentId: string, tab?: string): string {
  const address = `/segments/${encodeURIComponent(segmentId)}`;
  return tab === undefined ? address : `${address}?tab=${tab}`;
}

/** 回收站: the segments that were deleted and can be restored. */
export const DELETED_ADDRESS = "/deleted";

export function groupAddress(group: string): string {
  return group === "" ? "/segments" : `/segments?group=${encodeURIComponent(group)}`;
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
