package io.pare.format.yaml;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.pare.file.FormatException;
import io.pare.file.TextFile;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A text in YAML as a tree. Apart from what is made of it, which a JVM without Jackson can link.
 *
 * <p>Any thread may call this.
 */
public final class YamlText {
    private static final ObjectMapper YAML =
            new ObjectMapper(new YAMLFactory().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION));

    private YamlText() {}

    /**
     * {@return the root, or null of an empty text}
     *
     * @param file in UTF-8
     * @throws FormatException if it is no YAML, a key stands there twice or a line is endless; the message names the file, and the line
     *             where it can
     * @throws IOException if the file cannot be read
     */
    public static @Nullable JsonNode read(Path file) throws IOException {
        String text = TextFile.read(file);
        TextFile.checkLines(file.toString(), text);
        try {
            return YAML.readTree(text);
        } catch (JsonProcessingException e) {
            throw new FormatException(file + ": " + e.getOriginalMessage().lines().findFirst().orElse("")
                    + (e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")"), e);
        }
    }
}
