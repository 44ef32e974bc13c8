import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Copies the pages of this repository for the site's generator. Links between them name headings as GitHub does, which the
 * generator names otherwise, so that each gets an anchor. Arguments: the repository, and the folder to write.
 */
class Pages {
    private static final List<String> PAGES =
            List.of("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "native/README.md", "bench/README.md");
    private static final List<String> FILES = List.of("LICENSE", "NOTICE", "docs/*.svg", "bench/results/*.png",
            "src/test/java/io/pare/examples/*.java");

    public static void main(String[] args) throws IOException {
        Path from = Path.of(args[0]);
        Path to = Path.of(args[1]);
        page(from.resolve("README.md"), to.resolve("markdown/index.md"));
        for (String pattern : PAGES) {
            for (Path file : files(from, pattern)) {
                page(from.resolve(file), to.resolve("markdown").resolve(file));
            }
        }
        for (String pattern : FILES) {
            for (Path file : files(from, pattern)) {
                Path copy = to.resolve("resources").resolve(file);
                Files.createDirectories(copy.getParent());
                Files.copy(from.resolve(file), copy, StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Files.copy(from.resolve("src/site/site.xml"), to.resolve("site.xml"), StandardCopyOption.REPLACE_EXISTING);
    }

    private static List<Path> files(Path root, String pattern) throws IOException {
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
        int slash = pattern.lastIndexOf('/');
        try (Stream<Path> files = Files.list(slash < 0 ? root : root.resolve(pattern.substring(0, slash)))) {
            return files.map(root::relativize).filter(matcher::matches).sorted().toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static void page(Path from, Path to) throws IOException {
        StringBuilder text = new StringBuilder();
        boolean code = false;
        for (String line : Files.readAllLines(from)) {
            code ^= line.startsWith("```");
            if (!code && line.matches("#{2,6} .*")) {
                text.append("<a id=\"").append(anchor(line.replaceFirst("#+ ", ""))).append("\"></a>\n\n");
            }
            text.append(line).append('\n');
        }
        Files.createDirectories(to.getParent());
        Files.writeString(to, text);
    }

    private static String anchor(String heading) {
        return heading.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-');
    }
}
