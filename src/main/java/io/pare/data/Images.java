package io.pare.data;

import java.security.MessageDigest;

/** Where the pixels of a data set come from. Thread-safe; its readers are not. */
sealed interface Images permits StoredImages, SyntheticImages, ImageFiles, FloatImages {
    /** Number of images. */
    int count();

    /** A reader for one thread. */
    Reader reader();

    /** Whether a reader takes so long that reading ahead of the training pays. */
    default boolean slow() {
        return false;
    }

    /** Feeds what decides the content of an image into {@code digest}, without decoding it. */
    void digest(int row, MessageDigest digest);

    /** Size to which images are brought before the input is cut out of them, as a multiple of the input's size. */
    default double border() {
        return 1;
    }

    /** Says that an image is unreadable: returns if it is to be skipped, throws if it is not. */
    default void refuse(int row, BadImageException cause) {
        throw cause;
    }

    /** Reads images for one thread; keeps its memory from one to the next. */
    interface Reader extends AutoCloseable {
        /**
         * Points {@code view} at the pixels of an image, which hold until the next call.
         *
         * @throws BadImageException if there is an image that cannot be read
         */
        void read(int row, PixelView view);

        /** Frees what is not on the heap. */
        @Override
        default void close() {}
    }
}
