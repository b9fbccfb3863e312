/** Months such as `2026-05`, and their weeks from Monday to Sunday. */

export function monthOf(instant: Date): string {
  return `${instant.getFullYear()}-${String(instant.getMonth() + 1).padStart(2, "0")}`;
}

export function monthAfter(month: string, count: number): string {
  const [year, number] = month.split("-").map(Number);
  return monthOf(new Date(year ?? 0, (number ?? 1) - 1 + count, 1));
}

/** Returns the days of a month as `2026-05-01`, in weeks; days of other months are undefined. */
export function weeksOf(month: string): (string | undefined)[][] {
  const [year, number] = month.split("-").map(Number);
  const first = new Date(year ?? 0, (number ?? 1) - 1, 1);
  const days: (string | undefined)[] = Array.from({ length: (first.getDay() + 6) % 7 }, () => undefined);
  const last = new Date(year ?? 0, number ?? 1, 0).getDate();
  for (let day = 1; day <= last; day += 1) days.push(`${month}-${String(day).padStart(2, "0")}`);
  while (days.length % 7 !== 0) days.push(undefined);
  return Array.from({ length: days.length / 7 }, (_, week) => days.slice(week * 7, week * 7 + 7));
}
