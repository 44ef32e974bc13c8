package io.pare.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What holds for README.md, the pages below docs and those beside benchmarks and bindings, whatever they say. */
class DocumentationTest {
    private static final int MOST_LINES = 150;
    private static final int MOST_WORDS = 24;
    /** Pages that lie elsewhere. */
    private static final List<Path> OTHERS = List.of(Path.of("bench/README.md"), Path.of("native/README.md"));

    private static List<Page> pages() throws IOException {
        List<Page> pages = new ArrayList<>(Page.all());
        for (Path other : OTHERS) {
            pages.add(Page.of(other));
        }
        return pages;
    }

    @Test
    void theReadmeIsShort() throws IOException {
        long lines = Page.of(Page.README).text().lines().count();
        assertTrue(lines <= MOST_LINES, lines + " lines");
    }

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        List<String> broken = new ArrayList<>();
        int seen = 0;
        for (Page page : pages()) {
            for (String link : page.links()) {
                seen++;
                if (!leadsSomewhere(page, link)) {
                    broken.add(page.path() + ": " + link);
                }
            }
        }
        assertEquals(List.of(), broken);
        assertTrue(seen > 20, seen + " links");
    }

    private static boolean leadsSomewhere(Page page, String link) throws IOException {
        URI target = URI.create(link);
        if (target.getScheme() != null) {
            return target.getScheme().equals("https") && target.getHost() != null;
        }
        Path file = target.getPath().isEmpty()
                ? page.path()
                : page.path().toAbsolutePath().resolveSibling(target.getPath()).normalize();
        return Files.exists(file) && (target.getFragment() == null
                || Page.of(file).anchors().contains(target.getFragment()));
    }

    @Test
    void everyPageIsLinkedFromTheReadme() throws IOException {
        Set<String> linked = Page.of(Page.README).links().stream().map(link -> link.replaceFirst("#.*", ""))
                .collect(Collectors.toSet());
        for (Page page : Page.all()) {
            assertTrue(page.path().equals(Page.README) || linked.contains(page.path().toString().replace('\\', '/')),
                    page.path() + " is not linked");
        }
    }

    @Test
    void sentencesAreShort() throws IOException {
        List<String> tooLong = new ArrayList<>();
        int seen = 0;
        for (Page page : pages()) {
            for (String sentence : page.sentences()) {
                seen++;
                if (Page.words(sentence) > MOST_WORDS) {
                    tooLong.add(page.path() + ", " + Page.words(sentence) + " words: " + sentence);
                }
            }
        }
        assertEquals("", String.join("\n", tooLong));
        assertTrue(seen > 200, seen + " sentences");
    }

    @Test
    void aPageIsReadAsItsTestsSay() {
        Page page = new Page(Path.of("page.md"), """
                # A *title*, with `code`

                One sentence, of [five words](other.md#place). A second `not.a. Third` one
                goes on here? Yes.

                    code. Not prose.

                - An item. Two
                  lines.
                ```java
                int i; // No. Prose.
                ```
                | a table. | Not prose |
                """);
        assertEquals(
                List.of("One sentence, of Link.", "A second X one goes on here?", "Yes.", "An item.", "Two lines."),
                page.sentences().stream().map(sentence -> sentence.replaceAll("\\s+", " ").strip()).toList());
        assertEquals(List.of("other.md#place"), page.links());
        assertEquals(Set.of("a-title-with-code"), page.anchors());
        assertEquals(List.of("int i; // No. Prose.\n"), page.javaBlocks());
        assertEquals(3, Page.words("Three - short words."));
    }
}
