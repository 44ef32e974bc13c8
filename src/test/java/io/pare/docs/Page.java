package io.pare.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A page of the documentation in Markdown, as its tests look at it.
 *
 * @param path below the repository's root
 * @param text all of it
 */
public record Page(Path path, String text) {
    /** The first page. */
    public static final Path README = Path.of("README.md");
    /** In a page that is generated in part, the line after which nothing is written by hand. */
    public static final String GENERATED = "<!-- Generated from here on: edits are lost. -->";

    private static final Path FOLDER = Path.of("docs");
    private static final Pattern JAVA = Pattern.compile("(?sm)^```java\n(.*?)^```$");
    private static final Pattern LINK = Pattern.compile("\\[[^\\]]*]\\(([^)\\s]+)\\)");
    private static final Pattern CODE = Pattern.compile("`[^`]+`");
    private static final Pattern ITEM = Pattern.compile("^ *([-*]|\\d+\\.) .*");
    private static final Pattern SENTENCE = Pattern.compile("(?<=[.!?][)\"]?)\\s+(?=[(\"]?[A-Z0-9])");

    /** The README, and every page below docs. */
    public static List<Page> all() throws IOException {
        List<Page> pages = new ArrayList<>(List.of(of(README)));
        try (Stream<Path> files = Files.list(FOLDER)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".md")).sorted().toList()) {
                pages.add(of(file));
            }
        }
        return pages;
    }

    /** One page. */
    public static Page of(Path path) throws IOException {
        return new Page(path, Files.readString(path));
    }

    /** The blocks of Java code. */
    public List<String> javaBlocks() {
        return JAVA.matcher(text).results().map(match -> match.group(1)).toList();
    }

    /** The targets of all links and pictures, in order. */
    List<String> links() {
        return LINK.matcher(CODE.matcher(withoutCode()).replaceAll("X")).results().map(match -> match.group(1))
                .toList();
    }

    /** The anchors that headings give, as GitHub makes them. */
    Set<String> anchors() {
        Set<String> anchors = new TreeSet<>();
        withoutCode().lines().filter(line -> line.matches("#+ .*"))
                .map(line -> line.replaceFirst("#+ ", "").strip().toLowerCase(Locale.ROOT))
                .map(line -> line.replaceAll("[^\\p{L}\\p{N}_ -]", "").replace(' ', '-')).forEach(anchors::add);
        return anchors;
    }

    /** The sentences of paragraphs and list items; tables, headings, code and generated text are left out. */
    List<String> sentences() {
        String byHand = withoutCode().split(Pattern.quote(GENERATED), 2)[0];
        List<String> sentences = new ArrayList<>();
        StringBuilder paragraph = new StringBuilder();
        for (String line : (byHand + "\n\n").lines().toList()) {
            boolean prose = !line.isBlank() && !line.matches("(\\||#|<!--|!\\[).*");
            if (!prose || ITEM.matcher(line).matches()) {
                String plain = LINK.matcher(CODE.matcher(paragraph).replaceAll("X")).replaceAll("Link");
                SENTENCE.splitAsStream(plain.strip()).filter(sentence -> !sentence.isBlank()).forEach(sentences::add);
                paragraph.setLength(0);
            }
            if (prose) {
                paragraph.append(line.replaceFirst("^ *([-*]|\\d+\\.) ", "")).append(' ');
            }
        }
        return sentences;
    }

    /** Words of a sentence: what holds a letter or a digit between spaces. */
    static long words(String sentence) {
        return Stream.of(sentence.split("\\s+")).filter(word -> word.matches(".*[\\p{L}\\p{N}].*")).count();
    }

    /** The text without fenced and indented code; an indented line behind prose goes on with it. */
    private String withoutCode() {
        StringBuilder kept = new StringBuilder();
        boolean fenced = false;
        boolean blank = true;
        boolean indented = false;
        for (String line : text.lines().toList()) {
            boolean fence = line.startsWith("```");
            indented = line.startsWith("    ") && (blank || indented);
            if (!fenced && !fence && !indented) {
                kept.append(line).append('\n');
            } else {
                kept.append('\n');
            }
            fenced ^= fence;
            blank = line.isBlank();
        }
        return kept.toString();
    }
}
