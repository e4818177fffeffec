import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { languageOf } from "./language.ts";

const english = `Find x. | Write a haiku. | Define entropy. | Determine f(2) | Implement quicksort in Python | Solve 2x = 4.
Simplify: 3/6 | Evaluate 5! | Factor x^2-1 | Tell me a joke. | Compute the integral. | Name a planet. | Capital of France?
Who wrote Hamlet? | Prove Fermat's little theorem | Calculate 17*23 | Express 0.75 as a fraction | Convert 3 km to m
Translate "bonjour" into English. | Write a poem about la mer | Sort a list. | Reverse a string in Rust | Is 91 prime?
Explain gravity. | What is a monad? | Give three synonyms of glad. | Describe Mozart's Requiem. | Expand (a+b)^3
Who was Johann Wolfgang von Goethe? | List the works of Miguel de Cervantes. | Differentiate sin x. | Minimize f
Round 3.14159 | Find the mean. | Plot a sine curve in matplotlib. | Translate into German: good morning | Debug this code
How do I say thank you in Spanish? | Distance from Berlin to Madrid? | In triangle ABC, AB = AC. Find angle B.
Summarize: Les misérables | Recipe for crème brûlée? | Explain déjà vu. | Why is the sky blue? | Integrate 1/x. | Invert the matrix. | Prime minister of Germany in 1990?
Find $k$, if \${(3^k)}^6=3^6$. | Write $\\frac{5}{8}$ as a decimal. | Let $f(x) = 2^x.$ Find $\\sqrt{f(f(1))}.$`;

const french = `Trouvez la valeur de x. | Quelle est la capitale du Japon ? | Écris un haïku sur la mer. | Définis l'entropie.
Résous l'équation 2x + 3 = 7. | Calcule l'aire d'un cercle de rayon 3. | Combien font sept fois huit ? | Raconte-moi une blague.
Explique la gravité à un enfant. | Qui a écrit Les Misérables ? | Donne-moi trois synonymes du mot heureux.
Un train roule à 90 km/h pendant deux heures ; quelle distance parcourt-il ? | Pourquoi le ciel est-il bleu ?
Marie a douze pommes et en donne cinq à Paul. Combien lui en reste-t-il ? | Écrivez une fonction Python qui trie une liste.
Démontre que la racine de 2 est irrationnelle. | Quel est le plus grand diviseur commun de 48 et 36 ?
Quels sont les symptômes de la grippe ? | Comment faire cuire un œuf ? | Simplifie la fraction 12/18.
Déterminez le nombre de solutions réelles de cette équation.`;

const german = `Finde den Wert von x. | Was ist die Hauptstadt von Japan? | Schreibe ein Haiku über das Meer. | Wer schrieb den Faust?
Löse die Gleichung 2x + 3 = 7. | Berechne die Fläche eines Kreises mit Radius 3. | Wie viel ist sieben mal acht?
Erkläre einem Kind die Schwerkraft. | Kürze den Bruch 12/18. | Nenne mir drei Synonyme für glücklich.
Ein Zug fährt zwei Stunden lang 90 km/h; wie weit kommt er? | Warum ist der Himmel blau? | Erzähl mir einen Witz.
Maria hat zwölf Äpfel und gibt Paul fünf davon. Wie viele bleiben ihr? | Beweise, dass die Wurzel aus 2 irrational ist.
Schreibe eine Python-Funktion, die eine Liste sortiert. | Was ist der größte gemeinsame Teiler von 48 und 36?
Welche Symptome hat eine Grippe? | Wie kocht man ein Ei? | Definiere die Entropie.
Bestimme die Anzahl der reellen Lösungen dieser Gleichung.`;

const spanish = `Encuentra el valor de x. | ¿Cuál es la capital de Japón? | Escribe un haiku sobre el mar. | ¿Cómo se cuece un huevo?
Resuelve la ecuación 2x + 3 = 7. | Calcula el área de un círculo de radio 3. | ¿Cuánto es siete por ocho? | Define la entropía.
Explica la gravedad a un niño. | ¿Quién escribió el Quijote? | Simplifica la fracción 12/18. | Cuéntame un chiste.
Dame tres sinónimos de la palabra feliz. | Un tren viaja a 90 km/h durante dos horas; ¿qué distancia recorre?
María tiene doce manzanas y le da cinco a Pablo. ¿Cuántas le quedan? | Escribe una función en Python que ordene una lista.
Demuestra que la raíz de 2 es irracional. | ¿Por qué el cielo es azul? | ¿Cuál es el máximo común divisor de 48 y 36?
¿Qué síntomas tiene la gripe? | Determina el número de soluciones reales de esta ecuación.`;

const questionsOf = (list: string) => list.split(/ \| |\n/);

test.each([
  // Of two or three words the foreign one decides.
  ["en", english, { "Summarize: Les misérables": "fr", "Recipe for crème brûlée?": "fr", "Explain déjà vu.": "fr" }],
  ["fr", french, { "Simplifie la fraction 12/18.": "en" }],
  ["de", german, {}],
  ["es", spanish, { "Cuéntame un chiste.": "fr" }],
])("short questions in %s are taken for what they are, with few exceptions", (language, list, exceptions) => {
  const told = questionsOf(list).map((question) => [question, languageOf(question)]);
  expect(Object.fromEntries(told.filter(([, found]) => found !== language))).toEqual(exceptions);
});

test.each([
  ["zh", "求x。"],
  ["ja", "xを求めよ。"],
  ["ko", "x를 구하시오."],
  ["ru", "Найдите x."],
  ["ar", "أوجد x."],
  ["hi", "x ज्ञात कीजिए।"],
])("another script needs no margin: %s", (language, question) => expect(languageOf(question)).toBe(language));

test("a language that is no target counts as English, not as the target it is nearest to", () => {
  expect(languageOf("Qual è la capitale del Giappone?")).toBe("en");
  expect(languageOf("Escreva um haicai sobre o mar.")).toBe("en");
  expect(languageOf("Schrijf een haiku over de zee.")).toBe("en");
});

const shared = "../shared/data/math";
describe("on real data", () => {
  beforeEach((context) => context.skip(!existsSync(shared), `no ${shared}`));
  test.each([
    ["math-train.json.gz", "problem"],
    ["math-500.jsonl.gz", "problem"],
    ["gsm8k-test.jsonl.gz", "question"],
  ])("no question of %s is taken for another language than English", (file, name) => {
    const text = gunzipSync(readFileSync(join(shared, file)))
      .toString()
      .trim();
    const rows = JSON.parse(text.startsWith("[") ? text : `[${text.replaceAll("\n", ",")}]`) as Record<
      string,
      string
    >[];
    const found = rows.map((row) => languageOf(row[name]!) ?? "en");
    expect(found.filter((language) => language !== "en")).toEqual([]);
  });
});
