package wirewatch.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import org.apache.lucene.index.Term;
import org.apache.lucene.queries.spans.SpanNearQuery;
import org.apache.lucene.queries.spans.SpanOrQuery;
import org.apache.lucene.queries.spans.SpanQuery;
import org.apache.lucene.queries.spans.SpanTermQuery;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.PhraseQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;

/**
 * Makes a Lucene query of one that was written as JSON: {@code {"lang": "de", "tree": ["and",
 * ["word", "x"], ["not", ["phrase", ["a", "b"]]], ["near", 5, "a", "b"]]}}.
 *
 * <p>The language is not asked for with a term: its fields are in no article of another language.
 */
final class Queries {
  private Queries() {}

  /** Returns the query. Throws IllegalArgumentException for a language or node that is not known. */
  static Query of(JsonObject query) throws IOException {
    Language language = Language.of(query.get("lang").getAsString());
    return node(query.getAsJsonArray("tree"), language);
  }

  private static Query node(JsonArray node, Language language) throws IOException {
    String kind = node.get(0).getAsString();
    return switch (kind) {
      case "and" -> joined(node, language, Occur.MUST);
      case "or" -> joined(node, language, Occur.SHOULD);
      case "word" -> word(node.get(1).getAsString(), language);
      case "phrase" -> phrase(node.get(1).getAsJsonArray(), language);
      case "near" -> near(node, language);
      default -> throw new IllegalArgumentException("no such node here: " + kind);
    };
  }

  private static Query joined(JsonArray node, Language language, Occur occur) throws IOException {
    BooleanQuery.Builder query = new BooleanQuery.Builder();
    for (int i = 1; i < node.size(); i++) {
      JsonArray part = node.get(i).getAsJsonArray();
      if (part.get(0).getAsString().equals("not")) {
        query.add(node(part.get(1).getAsJsonArray(), language), Occur.MUST_NOT);
      } else {
        query.add(node(part, language), occur);
      }
    }
    return query.build();
  }

  private static Query word(String word, Language language) throws IOException {
    BooleanQuery.Builder query = new BooleanQuery.Builder();
    for (String form : language.forms(word)) {
      query.add(new TermQuery(new Term(language.text, form)), Occur.SHOULD);
    }
    return query.build();
  }

  private static Query phrase(JsonArray words, Language language) throws IOException {
    PhraseQuery.Builder query = new PhraseQuery.Builder();
    for (JsonElement word : words) {
      query.add(new Term(language.exact, language.folded(word.getAsString())));
    }
    return query.build();
  }

  /** The slop counts the words between the two: neighbours have a distance of 1 and none. */
  private static Query near(JsonArray node, Language language) throws IOException {
    SpanQuery[] words = {
      places(node.get(2).getAsString(), language), places(node.get(3).getAsString(), language)
    };
    return new SpanNearQuery(words, node.get(1).getAsInt() - 1, false);
  }

  private static SpanQuery places(String word, Language language) throws IOException {
    SpanQuery[] forms =
        language.forms(word).stream()
            .map(form -> new SpanTermQuery(new Term(language.text, form)))
            .toArray(SpanQuery[]::new);
    return forms.length == 1 ? forms[0] : new SpanOrQuery(forms);
  }
}
