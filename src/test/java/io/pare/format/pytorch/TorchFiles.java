package io.pare.format.pytorch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Files as torch.save writes them, of either form, made of a pickle and the bytes of its storages. */
public final class TorchFiles {
    private TorchFiles() {}

    /** Which form of file. */
    public enum Form {
        STORED, DEFLATED, LEGACY,
        /** The older form in protocol 4, whose pickles begin with a frame. */
        LEGACY_FRAMED;

        /**
         * @param storages little-endian bytes by key; elements of four bytes for the older form
         */
        byte[] file(byte[] pickle, Map<String, byte[]> storages) {
            return switch (this) {
                case STORED -> zip(pickle, storages, false);
                case DEFLATED -> zip(pickle, storages, true);
                case LEGACY -> legacy(2, pickle, storages);
                case LEGACY_FRAMED -> legacy(4, pickle, storages);
            };
        }
    }

    /** A state dict of contiguous floats, by the names given. */
    public static byte[] floats(Form form, Map<String, float[]> values, Map<String, long[]> shapes) {
        PickleWriter pickle = new PickleWriter(2).dict();
        Map<String, byte[]> storages = new LinkedHashMap<>();
        values.forEach((name, floats) -> {
            String key = Integer.toString(storages.size());
            long[] shape = shapes.get(name);
            long[] steps = new long[shape.length];
            long step = 1;
            for (int axis = shape.length - 1; axis >= 0; axis--) {
                steps[axis] = step;
                step *= shape[axis];
            }
            pickle.text(name).tensor("FloatStorage", key, floats.length, 0, shape, steps);
            storages.put(key, bytes(floats));
        });
        return form.file(pickle.endDict().end(), storages);
    }

    static byte[] bytes(float... floats) {
        ByteBuffer bytes = ByteBuffer.allocate(floats.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(floats);
        return bytes.array();
    }

    private static byte[] zip(byte[] pickle, Map<String, byte[]> storages, boolean deflate) {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("data.pkl", pickle);
        entries.put("byteorder", "little".getBytes(StandardCharsets.US_ASCII));
        storages.forEach((key, bytes) -> entries.put("data/" + key, bytes));
        entries.put("version", "3\n".getBytes(StandardCharsets.US_ASCII));
        return zip(entries, "archive/", deflate);
    }

    static byte[] zip(Map<String, byte[]> entries, String folder, boolean deflate) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                ZipEntry head = new ZipEntry(folder + entry.getKey());
                CRC32 sum = new CRC32();
                sum.update(entry.getValue());
                head.setTimeLocal(LocalDateTime.of(2020, 2, 2, 2, 2));
                head.setCrc(sum.getValue());
                head.setSize(entry.getValue().length);
                head.setMethod(deflate ? ZipEntry.DEFLATED : ZipEntry.STORED);
                zip.putNextEntry(head);
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static byte[] legacy(int protocol, byte[] pickle, Map<String, byte[]> storages) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PickleWriter magic = new PickleWriter(protocol);
        if (protocol >= 4) {
            magic.op(0x95).int64(13);
        }
        out.writeBytes(magic.op(0x8a).op(10).ops("\u006c\u00fc\u009c\u0046\u00f9\u0020\u006a\u00a8\u0050\u0019")
                .end());
        out.writeBytes(new PickleWriter(2).number(1001).end());
        out.writeBytes(new PickleWriter(2).op('}').op('(').text("protocol_version").number(1001).text("little_endian")
                .op(0x88).op('u').end());
        out.writeBytes(pickle);
        PickleWriter keys = new PickleWriter(2).ops("](");
        List.copyOf(storages.keySet()).forEach(keys::text);
        out.writeBytes(keys.op('e').end());
        storages.values().forEach(bytes -> {
            out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(bytes.length / 4).array());
            out.writeBytes(bytes);
        });
        return out.toByteArray();
    }
}
