package io.pare.format.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.pare.file.FormatException;
import io.pare.format.safetensors.Safetensors.Entry;
import io.pare.format.safetensors.Safetensors.Writer.Pending;
import io.pare.format.tensors.ElementType;
import io.pare.format.tensors.Strides;
import io.pare.mem.FloatTensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The header of a safetensors file as JSON. Apart from the rest, which a JVM without Jackson can link. */
final class Header {
    private Header() {}

    /** Reads what the header says of tensors and of the map of strings. */
    static void read(Path path, byte[] header, Map<String, Entry> entries, Map<String, String> metadata) {
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8).maxNumberLength(20).build())
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
        String text = new String(header, StandardCharsets.UTF_8);
        if (text.charAt(0) != '{') {
            throw new FormatException(path + ": not a safetensors file, its header does not begin with '{'");
        }
        try (JsonParser json = factory.createParser(text)) {
            json.nextToken();
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String name = json.currentName();
                json.nextToken();
                if (name.equals("__metadata__")) {
                    parseMetadata(path, json, metadata);
                } else {
                    entries.put(name, parseEntry(path, name, json));
                }
            }
            if (json.nextToken() != null) {
                throw new FormatException(path + ": the header goes on after its closing brace");
            }
        } catch (JsonProcessingException e) {
            throw new FormatException(path + ": the header is not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new FormatException(path + ": the header cannot be read: " + e.getMessage(), e);
        }
    }

    private static void parseMetadata(Path path, JsonParser json, Map<String, String> metadata) throws IOException {
        expect(path, json, JsonToken.START_OBJECT, "__metadata__ must be an object of strings");
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String key = json.currentName();
            json.nextToken();
            expect(path, json, JsonToken.VALUE_STRING, "__metadata__ entry '" + key + "' is not a string");
            metadata.put(key, json.getText());
        }
    }

    private static Entry parseEntry(Path path, String name, JsonParser json) throws IOException {
        expect(path, json, JsonToken.START_OBJECT, "tensor '" + name + "' is not described by an object");
        ElementType type = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String field = json.currentName();
            json.nextToken();
            switch (field) {
                case "dtype" -> {
                    expect(path, json, JsonToken.VALUE_STRING, "tensor '" + name + "': dtype is not a string");
                    type = typeOf(path, name, json.getText());
                }
                case "shape" -> shape = parseLongs(path, name, field, json, Strides.MAX_RANK);
                case "data_offsets" -> offsets = parseLongs(path, name, field, json, 2);
                default -> throw new FormatException(path + ": tensor '" + name + "' has an unknown field '" + field
                        + "'; known are dtype, shape, data_offsets");
            }
        }
        if (type == null || shape == null || offsets == null || offsets.size() != 2) {
            throw new FormatException(
                    path + ": tensor '" + name + "' lacks one of dtype, shape, data_offsets (two numbers)");
        }
        long begin = offsets.get(0);
        long end = offsets.get(1);
        long[] sizes = shape.stream().mapToLong(Long::longValue).toArray();
        long bytes;
        try {
            bytes = Math.multiplyExact(FloatTensor.count(sizes), (long) type.bytes());
        } catch (ArithmeticException e) {
            throw new FormatException(
                    path + ": tensor '" + name + "': the size of shape " + Arrays.toString(sizes) + " overflows", e);
        }
        if (end < begin || end - begin != bytes) {
            throw new FormatException(path + ": tensor '" + name + "' of type " + type + " and shape "
                    + Arrays.toString(sizes) + " takes " + bytes + " bytes, its offsets are " + begin + " to " + end);
        }
        return new Entry(name, type, sizes, begin, bytes);
    }

    private static ElementType typeOf(Path path, String name, String type) {
        for (ElementType known : ElementType.values()) {
            if (known.name().equals(type)) {
                return known;
            }
        }
        throw new FormatException(path + ": tensor '" + name + "' has the unknown type '" + type + "'; known are "
                + Arrays.toString(ElementType.values()));
    }

    private static List<Long> parseLongs(Path path, String name, String field, JsonParser json, int limit)
            throws IOException {
        String what = "tensor '" + name + "': " + field + " must be a list of at most " + limit + " sizes";
        expect(path, json, JsonToken.START_ARRAY, what);
        List<Long> values = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            expect(path, json, JsonToken.VALUE_NUMBER_INT, what);
            long value = json.getLongValue();
            if (value < 0 || values.size() == limit) {
                throw new FormatException(path + ": " + what + ", found " + value);
            }
            values.add(value);
        }
        return values;
    }

    private static void expect(Path path, JsonParser json, JsonToken wanted, String otherwise) {
        if (json.currentToken() != wanted) {
            throw new FormatException(path + ": " + otherwise);
        }
    }

    /** Writes the header, padded with blanks to eight bytes. */
    static byte[] write(Map<String, String> metadata, List<Pending> order) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart("__metadata__");
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    json.writeStringField(entry.getKey(), entry.getValue());
                }
                json.writeEndObject();
            }
            long at = 0;
            for (Pending tensor : order) {
                json.writeObjectFieldStart(tensor.name());
                json.writeStringField("dtype", tensor.type().name());
                json.writeFieldName("shape");
                json.writeArray(tensor.shape(), 0, tensor.shape().length);
                json.writeFieldName("data_offsets");
                json.writeArray(new long[]{at, at + tensor.data().byteSize()}, 0, 2);
                json.writeEndObject();
                at += tensor.data().byteSize();
            }
            json.writeEndObject();
        }
        while (bytes.size() % 8 != 0) {
            bytes.write(' ');
        }
        return bytes.toByteArray();
    }
}
