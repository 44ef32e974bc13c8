package io.pare.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;

/** Pictures in files, decoded whenever they are asked for. */
record ImageFiles(List<Path> files, int channels, double border, OddImages odd) implements Images {
    @Override
    public int count() {
        return files.size();
    }

    @Override
    public boolean slow() {
        return true;
    }

    /** Name, length and background: reading all pictures once more would take as long as an epoch. */
    @Override
    public void digest(int row, MessageDigest digest) {
        Path file = files.get(row);
        try {
            digest.update((file.getFileName() + " " + Files.size(file) + " " + odd.background() + "\n")
                    .getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new DataException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public Reader reader() {
        Decoder decoder = new Decoder(channels, odd.background());
        return new Reader() {
            @Override
            public void read(int row, PixelView view) {
                decoder.read(files.get(row), view);
            }

            @Override
            public void close() {
                decoder.close();
            }
        };
    }

    @Override
    public void refuse(int row, BadImageException cause) {
        odd.damaged(files.get(row), cause.getMessage());
    }
}
