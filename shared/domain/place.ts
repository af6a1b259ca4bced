/** Which of so many places an id has: spread evenly over many ids, and always the same for one. */
export function placeOf(id: string, places: number): number {
  let hash = 0;
  for (let i = 0; i < id.length; i++) hash = (hash * 31 + id.charCodeAt(i)) >>> 0;
  return hash % places;
}
