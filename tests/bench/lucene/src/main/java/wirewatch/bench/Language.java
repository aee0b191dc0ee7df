package wirewatch.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.core.KeywordAnalyzer;
import org.apache.lucene.analysis.core.LowerCaseFilter;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.miscellaneous.KeywordRepeatFilter;
import org.apache.lucene.analysis.miscellaneous.PerFieldAnalyzerWrapper;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.apache.lucene.analysis.standard.StandardTokenizer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;

/**
 * A language: its two fields and how their text is analysed, all by Lucene.
 *
 * <p>{@code text} holds each word folded and stemmed, both in the same place; {@code exact} holds
 * it folded. Title and body are two values of each field, with {@link #GAP} places between them.
 */
final class Language {
  /** No phrase and no NEAR reaches across it. */
  static final int GAP = 1_000;

  private static final Map<String, Language> ALL = new TreeMap<>();

  static {
    // Lucene 9 has under other names what Snowball calls `german` and `dutch` today.
    add("de", "German2", "German");
    add("en", "English");
    add("es", "Spanish");
    add("fi", "Finnish");
    add("fr", "French");
    add("it", "Italian");
    add("nl", "Kp", "Dutch");
    add("pt", "Portuguese");
    add("ru", "Russian");
    add("sv", "Swedish");
  }

  final String text;
  final String exact;
  private final Analyzer textAnalyzer;
  private final Analyzer exactAnalyzer;

  /** Analyses the fields of all languages. */
  static Analyzer all() {
    Map<String, Analyzer> analyzers = new HashMap<>();
    for (Language language : ALL.values()) {
      analyzers.put(language.text, language.textAnalyzer);
      analyzers.put(language.exact, language.exactAnalyzer);
    }
    return new PerFieldAnalyzerWrapper(new KeywordAnalyzer(), analyzers);
  }

  private Language(String code, String stemmer) {
    text = "text_" + code;
    exact = "exact_" + code;
    textAnalyzer = new Words(stemmer);
    exactAnalyzer = new Words(null);
  }

  /** Adds a language with the first of these stemmers that this Lucene has. */
  private static void add(String code, String... stemmers) {
    String stemmer = Stream.of(stemmers).filter(Language::isThere).findFirst().orElseThrow();
    ALL.put(code, new Language(code, stemmer));
  }

  private static boolean isThere(String stemmer) {
    try {
      Class.forName("org.tartarus.snowball.ext." + stemmer + "Stemmer");
      return true;
    } catch (ClassNotFoundException missing) {
      return false;
    }
  }

  /** Returns the language with this code. Throws IllegalArgumentException for others. */
  static Language of(String code) {
    Language language = ALL.get(code);
    if (language == null) {
      throw new IllegalArgumentException("no such language: " + code);
    }
    return language;
  }

  /** Returns the forms by which a word is compared: folded and, if it is another one, the stem. */
  List<String> forms(String word) throws IOException {
    return tokens(textAnalyzer, text, word);
  }

  /** Returns the word folded. */
  String folded(String word) throws IOException {
    return String.join(" ", tokens(exactAnalyzer, exact, word));
  }

  private static List<String> tokens(Analyzer analyzer, String field, String words)
      throws IOException {
    List<String> found = new ArrayList<>();
    try (TokenStream stream = analyzer.tokenStream(field, words)) {
      CharTermAttribute term = stream.addAttribute(CharTermAttribute.class);
      stream.reset();
      while (stream.incrementToken()) {
        found.add(term.toString());
      }
      stream.end();
    }
    return found;
  }

  /** Words folded and, with a stemmer, also their stems. */
  private static final class Words extends Analyzer {
    private final String stemmer;

    Words(String stemmer) {
      this.stemmer = stemmer;
    }

    @Override
    protected TokenStreamComponents createComponents(String field) {
      Tokenizer source = new StandardTokenizer();
      TokenStream words = new LowerCaseFilter(source);
      if (stemmer != null) {
        words = new SnowballFilter(new KeywordRepeatFilter(words), stemmer);
      }
      TokenStream folded = new CyrillicFoldingFilter(new ASCIIFoldingFilter(words));
      return new TokenStreamComponents(
          source, stemmer == null ? folded : new RemoveDuplicatesTokenFilter(folded));
    }

    @Override
    public int getPositionIncrementGap(String field) {
      return GAP;
    }
  }

  /** Takes off the marks of the two Russian letters that have one. */
  private static final class CyrillicFoldingFilter extends TokenFilter {
    private final CharTermAttribute term = addAttribute(CharTermAttribute.class);

    CyrillicFoldingFilter(TokenStream input) {
      super(input);
    }

    @Override
    public boolean incrementToken() throws IOException {
      if (!input.incrementToken()) {
        return false;
      }
      char[] letters = term.buffer();
      for (int i = 0; i < term.length(); i++) {
        letters[i] = letters[i] == 'й' ? 'и' : letters[i] == 'ё' ? 'е' : letters[i];
      }
      return true;
    }
  }
}
