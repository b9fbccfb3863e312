/** The language of the page: Chinese unless the user chose English. No text stands in components. */

import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import english from "./en.json";
import chinese from "./zh.json";

export type Language = "zh" | "en";

const STORED = "streamseg.language";

export function currentLanguage(): Language {
  return i18next.language === "en" ? "en" : "zh";
}

export function chooseLanguage(language: Language): void {
  localStorage.setItem(STORED, language);
  document.documentElement.lang = language;
  void i18next.changeLanguage(language);
}

/** Must be called once, before anything is rendered. */
export function startLanguage(): void {
  const language: Language = localStorage.getItem(STORED) === "en" ? "en" : "zh";
  document.documentElement.lang = language;
  void i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { zh: { translation: chinese }, en: { translation: english } },
    interpolation: { escapeValue: false },
  });
}
