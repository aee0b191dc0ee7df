package wirewatch.bench;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field.Store;
import org.apache.lucene.document.TextField;
import org.apache.lucene.monitor.MatchingQueries;
import org.apache.lucene.monitor.Monitor;
import org.apache.lucene.monitor.MonitorQuery;
import org.apache.lucene.monitor.MultiMatchingQueries;
import org.apache.lucene.monitor.MultipassTermFilteredPresearcher;
import org.apache.lucene.monitor.QueryMatch;

/**
 * Matches articles with stored queries in one thread, as it is told on stdin, a JSON object a line:
 *
 * <ul>
 *   <li>{@code {"do": "load", "queries": PATH}} answers {@code {"seconds", "queries", "heap_mb"}}
 *   <li>{@code {"do": "match", "articles": PATH, "from": i, "to": j, "batch": n, "results": bool}}
 *       answers {@code {"seconds", "articles", "matches", "candidates", "ids": {article: [query]}}}.
 *       The clock begins when the articles are in memory; their analysis is in it.
 *   <li>{@code {"do": "quit"}}, or the end of stdin, ends it.
 * </ul>
 *
 * <p>With the argument {@code stems} it reads {@code language TAB word} and writes {@code language
 * TAB word TAB folded TAB stem}.
 */
public final class MonitorPeer {
  private static final int PASSES = 2;
  private static final int LOADED_AT_ONCE = 5_000;
  private static final int MB = 1_000_000;

  private final Gson gson = new Gson();
  private final Map<String, List<Article>> articles = new HashMap<>();
  private final Monitor monitor;

  record Article(String id, String title, String body, String language) {}

  record Loaded(double seconds, int queries, long heap_mb) {}

  record Matched(
      double seconds, int articles, int matches, long candidates, Map<String, List<String>> ids) {}

  private MonitorPeer() throws IOException {
    monitor = new Monitor(Language.all(), new MultipassTermFilteredPresearcher(PASSES));
  }

  public static void main(String[] arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    if (arguments.length == 1 && arguments[0].equals("stems")) {
      stems(in, out);
    } else {
      new MonitorPeer().serve(in, out);
    }
    out.flush();
    System.exit(0); // the monitor has a thread of its own
  }

  private static void stems(BufferedReader in, PrintStream out) throws IOException {
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] parts = line.split("\t");
      Language language = Language.of(parts[0]);
      String folded = language.folded(parts[1]);
      List<String> forms = language.forms(parts[1]);
      // A word that is cut in two is none that both sides can agree on.
      String stem = forms.size() > 2 ? "" : forms.get(forms.size() - 1);
      out.println(String.join("\t", parts[0], parts[1], folded, stem));
    }
  }

  private void serve(BufferedReader in, PrintStream out) throws Exception {
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject wanted = JsonParser.parseString(line).getAsJsonObject();
      String what = wanted.get("do").getAsString();
      if (what.equals("quit")) {
        return;
      }
      out.println(gson.toJson(what.equals("load") ? load(wanted) : match(wanted)));
      out.flush();
    }
  }

  private Loaded load(JsonObject wanted) throws IOException {
    long begun = System.nanoTime();
    monitor.clear();
    try (BufferedReader lines = Files.newBufferedReader(path(wanted, "queries"))) {
      List<MonitorQuery> queries = new ArrayList<>();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonObject query = JsonParser.parseString(line).getAsJsonObject();
        queries.add(new MonitorQuery(query.get("id").getAsString(), Queries.of(query)));
        if (queries.size() == LOADED_AT_ONCE) {
          monitor.register(queries);
          queries.clear();
        }
      }
      monitor.register(queries);
    }
    double seconds = (System.nanoTime() - begun) / 1e9;
    return new Loaded(seconds, monitor.getQueryCount(), heapMb());
  }

  private static long heapMb() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return (runtime.totalMemory() - runtime.freeMemory()) / MB;
  }

  private Matched match(JsonObject wanted) throws IOException {
    List<Article> chosen =
        read(path(wanted, "articles"))
            .subList(wanted.get("from").getAsInt(), wanted.get("to").getAsInt());
    int size = wanted.get("batch").getAsInt();
    Map<String, List<String>> ids = new LinkedHashMap<>();
    long candidates = 0;
    long begun = System.nanoTime();
    for (int from = 0; from < chosen.size(); from += size) {
      candidates += match(chosen.subList(from, Math.min(from + size, chosen.size())), ids);
    }
    double seconds = (System.nanoTime() - begun) / 1e9;
    int matches = ids.values().stream().mapToInt(List::size).sum();
    boolean tells = wanted.get("results").getAsBoolean();
    return new Matched(seconds, chosen.size(), matches, candidates, tells ? ids : null);
  }

  /** Matches the articles at once; returns how many queries were tried. */
  private int match(List<Article> batch, Map<String, List<String>> ids) throws IOException {
    if (batch.size() == 1) {
      Article article = batch.get(0);
      MatchingQueries<QueryMatch> found =
          monitor.match(document(article), QueryMatch.SIMPLE_MATCHER);
      check(found.getErrors());
      put(ids, article, found.getMatches());
      return found.getQueriesRun();
    }
    Document[] documents = batch.stream().map(MonitorPeer::document).toArray(Document[]::new);
    MultiMatchingQueries<QueryMatch> found = monitor.match(documents, QueryMatch.SIMPLE_MATCHER);
    check(found.getErrors());
    for (int i = 0; i < documents.length; i++) {
      put(ids, batch.get(i), found.getMatches(i));
    }
    return found.getQueriesRun();
  }

  private static void check(Map<String, Exception> errors) {
    if (!errors.isEmpty()) {
      throw new IllegalStateException(errors.toString());
    }
  }

  private static void put(
      Map<String, List<String>> ids, Article article, Collection<QueryMatch> found) {
    if (!found.isEmpty()) {
      ids.put(article.id, found.stream().map(QueryMatch::getQueryId).toList());
    }
  }

  private static Document document(Article article) {
    Language language = Language.of(article.language);
    Document document = new Document();
    for (String value : List.of(article.title, article.body)) {
      document.add(new TextField(language.text, value, Store.NO));
      document.add(new TextField(language.exact, value, Store.NO));
    }
    return document;
  }

  private List<Article> read(Path path) throws IOException {
    List<Article> known = articles.get(path.toString());
    if (known == null) {
      known = Files.readAllLines(path).stream().map(l -> gson.fromJson(l, Article.class)).toList();
      articles.put(path.toString(), known);
    }
    return known;
  }

  private static Path path(JsonObject wanted, String name) {
    return Path.of(wanted.get(name).getAsString());
  }
}
